#!/bin/sh
# Every table is read by iasl without a complaint, and every DSDT compiles again to the same.
# Usage: iasl.sh DUMP_TABLES
set -eu
dump=$1
if ! command -v iasl >/dev/null; then
	echo "iasl is missing: install acpica-tools" >&2
	exit 1
fi
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"$dump" "$folder"
cd "$folder"
tables=0
for table in *.aml; do
	name=${table%.aml}
	if ! iasl -d "$table" >log 2>&1 || grep -iE 'error|warning|invalid|unknown' log; then
		echo "iasl -d $table:" >&2
		cat log >&2
		exit 1
	fi
	tables=$((tables + 1))
	case $name in
	*-DSDT) ;;
	*) continue ;;
	esac
	# -oa: no optimisation, so that the same source gives the same bytes
	if ! iasl -oa -p again "$name.dsl" >log 2>&1 || ! grep -q '0 Errors, 0 Warnings' log; then
		echo "iasl $name.dsl:" >&2
		cat log >&2
		exit 1
	fi
	# same length and same source: only iasl's name and its zero checksums of templates differ
	mkdir again && mv again.aml again/"$table"
	iasl -d again/"$table" >log 2>&1
	for dsl in "$name.dsl" again/"$name.dsl"; do
		sed -n '/^DefinitionBlock/,$p' "$dsl" >"$dsl.body"
	done
	if [ "$(wc -c <"$table")" != "$(wc -c <again/"$table")" ] ||
		! diff "$name.dsl.body" again/"$name.dsl.body"; then
		echo "$name: compiled again it is not the same" >&2
		exit 1
	fi
	rm -r again
done
test "$tables" -ge 57
echo "iasl read $tables tables"
