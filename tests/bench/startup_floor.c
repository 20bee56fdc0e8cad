/* The least a program can do to run a ROM under KVM until it writes port 0xf4: what start-up times are
 * compared with. Usage: startup_floor none|split|kernel ROM. Reference: Linux
 * Documentation/virt/kvm/api.rst. */
// SPDX-License-Identifier: MIT
#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

enum { RAM_BYTES = 128 << 20, ROM_BYTES = 64 << 10, PINS = 24, LEAVES = 256 };
enum { EXIT_PORT = 0xf4 };

static _Noreturn void die(const char *what)
{
	fprintf(stderr, "startup_floor: %s: %s\n", what, strerror(errno));
	_exit(1);
}

static int must(int result, const char *what)
{
	if (result < 0)
		die(what);
	return result;
}

static void *must_map(size_t bytes, int protection, int flags, int file, const char *what)
{
	void *memory = mmap(NULL, bytes, protection, flags, file, 0);

	if (memory == MAP_FAILED)
		die(what);
	return memory;
}

static void map_slot(int vm, uint32_t slot, uint64_t base, uint64_t bytes, void *host, bool rom)
{
	struct kvm_userspace_memory_region region = {
		.slot = slot,
		.flags = rom ? KVM_MEM_READONLY : 0,
		.guest_phys_addr = base,
		.memory_size = bytes,
		.userspace_addr = (uintptr_t)host,
	};

	must(ioctl(vm, KVM_SET_USER_MEMORY_REGION, &region), "a memory slot");
}

static void map_memory(int vm, const char *path)
{
	int memory = must(memfd_create("floor-ram", MFD_CLOEXEC), "memfd");
	int file = must(open(path, O_RDONLY | O_CLOEXEC), path);
	void *ram, *rom;

	must(ftruncate(memory, RAM_BYTES), "ftruncate");
	ram = must_map(RAM_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, memory, "RAM");
	rom = must_map(ROM_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, "ROM");
	if (read(file, rom, ROM_BYTES) != ROM_BYTES)
		die("the ROM is not 64 KiB");
	close(file);
	map_slot(vm, 0, 0, RAM_BYTES, ram, false);
	map_slot(vm, 1, UINT64_C(0x100000000) - ROM_BYTES, ROM_BYTES, rom, true);
}

static int create_vm(int kvm, const char *chips)
{
	struct kvm_enable_cap split = { .cap = KVM_CAP_SPLIT_IRQCHIP, .args = { PINS } };
	uint64_t identity = 0xfeffc000;
	int vm = must(ioctl(kvm, KVM_CREATE_VM, 0), "a VM");

	must(ioctl(vm, KVM_SET_IDENTITY_MAP_ADDR, &identity), "identity map");
	must(ioctl(vm, KVM_SET_TSS_ADDR, 0xfeffd000ul), "TSS");
	if (strcmp(chips, "split") == 0)
		must(ioctl(vm, KVM_ENABLE_CAP, &split), "split irqchip");
	if (strcmp(chips, "kernel") == 0)
		must(ioctl(vm, KVM_CREATE_IRQCHIP, 0), "kernel irqchip");
	return vm;
}

static int create_cpu(int kvm, int vm)
{
	static union {
		struct kvm_cpuid2 head;
		char room[sizeof(struct kvm_cpuid2) + LEAVES * sizeof(struct kvm_cpuid_entry2)];
	} cpuid;
	int cpu = must(ioctl(vm, KVM_CREATE_VCPU, 0), "a CPU");

	cpuid.head.nent = LEAVES;
	must(ioctl(kvm, KVM_GET_SUPPORTED_CPUID, &cpuid), "supported CPUID");
	must(ioctl(cpu, KVM_SET_CPUID2, &cpuid), "CPUID");
	return cpu;
}

/* Returns what the guest wrote to the exit port. */
static int run(int cpu, const struct kvm_run *state)
{
	must(ioctl(cpu, KVM_RUN, 0), "KVM_RUN");
	if (state->exit_reason != KVM_EXIT_IO || state->io.port != EXIT_PORT) {
		fprintf(stderr, "startup_floor: exit %u\n", state->exit_reason);
		return 1;
	}
	return ((const uint8_t *)state)[state->io.data_offset] << 1 | 1;
}

int main(int argc, char **argv)
{
	int kvm, vm, cpu, bytes, code;
	struct kvm_run *state;

	if (argc != 3) {
		fprintf(stderr, "usage: startup_floor none|split|kernel ROM\n");
		return 2;
	}
	kvm = must(open("/dev/kvm", O_RDWR | O_CLOEXEC), "/dev/kvm");
	vm = create_vm(kvm, argv[1]);
	map_memory(vm, argv[2]);
	cpu = create_cpu(kvm, vm);
	bytes = must(ioctl(kvm, KVM_GET_VCPU_MMAP_SIZE, 0), "a CPU's shared page");
	state = must_map((size_t)bytes, PROT_READ | PROT_WRITE, MAP_SHARED, cpu,
			 "a CPU's shared page");
	code = run(cpu, state);
	/* Left to the end of the process, this takes the kernel longer. */
	munmap(state, (size_t)bytes);
	close(cpu);
	close(vm);
	return code;
}
