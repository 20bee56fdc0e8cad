#!/bin/sh
# dmidecode reads the SMBIOS table and has nothing to say of its form.
# Usage: dmidecode.sh TEST_SMBIOS
set -eu
test=$1
if ! command -v dmidecode >/dev/null; then
	echo "dmidecode is missing" >&2
	exit 77
fi
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"$test" "$folder/dump"
dmidecode --from-dump "$folder/dump" >"$folder/out" 2>"$folder/err"
cat "$folder/out"
if [ -s "$folder/err" ] || grep -qiE 'broken|bad index|truncated|wrong|invalid|out of spec' "$folder/out"; then
	cat "$folder/err" >&2
	echo "dmidecode complains" >&2
	exit 1
fi
for line in 'SMBIOS 2.8 present' 'Product Name: board' 'Manufacturer: Millwright' 'Socket Designation: CPU 1' \
	'Core Count: 2' 'Maximum Capacity: 1' 'Number Of Devices: 1' 'Starting Address: 0x00000000000' 'End Of Table'; do
	grep -q "$line" "$folder/out" || { echo "no line: $line" >&2; exit 1; }
done
