/* How good this /dev/kvm is: a VM of four pages counts in ring 0 for a few hundred instructions, tries
 * CMPXCHG16B, without which no 64-bit guest allocates memory, and a few instructions of real mode, where
 * every CPU and all firmware begins. At most 2,000 instructions and
 * 10 ms of them; the answer is kept for as long as the host stays up. */
// SPDX-License-Identifier: MIT
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "accel/kvm/kvm_internal.h"

/* The VM's memory: code and data, then three levels of page tables that map 2 MiB one to one. */
enum { PAGE = 0x1000, CODE = 0, DATA = 0x800, PML4 = 0x1000, PDPT = 0x2000, PD = 0x3000 };
enum { MEMORY_BYTES = 0x4000 };
enum { PRESENT_WRITABLE = 3, LARGE_PAGE = 0x80 };
enum { CR0_PE_NE_WP_PG = 1 << 0 | 1 << 5 | 1 << 16, CR4_PAE = 1 << 5, EFER_LME_LMA = 5 << 8 };

/* 1,700 instructions at most: eight rounds of one and of a hundred loops, two instructions each, with a
 * few around them and behind. */
enum { ROUND_LOOPS = 100, ROUND_INSTRUCTIONS = 200, ROUNDS = 8 };
static const uint64_t budget_ns = 8000000, limit_ns = 10000000;
/* A guest that runs on the processor does billions a second, an emulated host's KVM some tens of
 * millions; what interprets does well below one million. */
static const uint64_t slow_per_second = 5000000;

/* loop: dec ecx; jnz loop; hlt; jmp loop - then, at ATOMIC: lock cmpxchg16b [rdi]; hlt - then, at REAL:
 * mov ax,0x80; mov ds,ax; mov word [REAL_WORD],0x5aa5; push ds; pop cx; hlt */
enum { ATOMIC = 0x10, REAL = 0x20, REAL_WORD = 0x40 };
static const uint8_t real_code[] = { 0xb8,      DATA >> 4, 0x00, 0x8e, 0xd8, 0xc7, 0x06,
				     REAL_WORD, 0x00,      0xa5, 0x5a, 0x1e, 0x59, 0xf4 };
static const uint8_t loop_code[] = { 0xff, 0xc9, 0x75, 0xfc, 0xf4, 0xeb, 0xf9 };
static const uint8_t atomic_code[] = { 0xf0, 0x48, 0x0f, 0xc7, 0x0f, 0xf4 };

/** The probe's VM; lives for one call. */
struct probe_vm {
	int kvm, vm, cpu;
	uint8_t *memory;
	struct kvm_run *run;
	struct kvm_sregs real_mode; /* as the CPU was made */
	size_t run_bytes;
	timer_t timer;
	bool has_timer;
	struct sigaction before; /* the timer */
};

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static void put_u64(uint8_t *at, uint64_t value)
{
	memcpy(at, &value, sizeof(value));
}

static void fill_memory(uint8_t *memory)
{
	memcpy(memory + CODE, loop_code, sizeof(loop_code));
	memcpy(memory + CODE + ATOMIC, atomic_code, sizeof(atomic_code));
	memcpy(memory + CODE + REAL, real_code, sizeof(real_code));
	put_u64(memory + PML4, PDPT | PRESENT_WRITABLE);
	put_u64(memory + PDPT, PD | PRESENT_WRITABLE);
	put_u64(memory + PD, LARGE_PAGE | PRESENT_WRITABLE);
}

static struct kvm_segment flat_segment(bool code)
{
	return (struct kvm_segment){
		.limit = 0xffffffff,
		.selector = code ? 0x08 : 0x10,
		.type = code ? 0xb : 0x3,
		.present = 1,
		.s = 1,
		.l = code,
		.db = !code,
		.g = 1,
	};
}

static bool enter_long_mode(struct probe_vm *probe)
{
	struct kvm_sregs sregs;

	if (ioctl(probe->cpu, KVM_GET_SREGS, &sregs) < 0)
		return false;
	probe->real_mode = sregs;
	sregs.cs = flat_segment(true);
	sregs.ds = sregs.es = sregs.fs = sregs.gs = sregs.ss = flat_segment(false);
	sregs.cr0 = CR0_PE_NE_WP_PG | 1u << 31;
	sregs.cr3 = PML4;
	sregs.cr4 = CR4_PAE;
	sregs.efer = EFER_LME_LMA;
	return ioctl(probe->cpu, KVM_SET_SREGS, &sregs) >= 0;
}

static bool install_cpuid(const struct probe_vm *probe)
{
	struct kvm_cpuid2 *cpuid =
		mw_alloc(1, sizeof(*cpuid) + KVM_MAX_LEAVES * sizeof(cpuid->entries[0]));
	bool good;

	cpuid->nent = KVM_MAX_LEAVES;
	good = ioctl(probe->kvm, KVM_GET_SUPPORTED_CPUID, cpuid) >= 0 &&
	       ioctl(probe->cpu, KVM_SET_CPUID2, cpuid) >= 0;
	free(cpuid);
	return good;
}

static bool map_memory(struct probe_vm *probe)
{
	struct kvm_userspace_memory_region region = { .memory_size = MEMORY_BYTES };
	void *memory = mmap(NULL, MEMORY_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			    -1, 0);

	if (memory == MAP_FAILED)
		return false;
	probe->memory = memory;
	fill_memory(memory);
	region.userspace_addr = (uintptr_t)memory;
	return ioctl(probe->vm, KVM_SET_USER_MEMORY_REGION, &region) >= 0;
}

static bool create_vm(struct probe_vm *probe)
{
	int bytes = ioctl(probe->kvm, KVM_GET_VCPU_MMAP_SIZE, 0);
	void *run;

	probe->vm = ioctl(probe->kvm, KVM_CREATE_VM, 0);
	if (probe->vm < 0 || bytes < (int)sizeof(struct kvm_run) ||
	    ioctl(probe->vm, KVM_SET_TSS_ADDR, (unsigned long)KVM_TSS_ADDRESS) < 0 ||
	    !map_memory(probe))
		return false;
	probe->cpu = ioctl(probe->vm, KVM_CREATE_VCPU, 0);
	if (probe->cpu < 0)
		return false;
	probe->run_bytes = (size_t)bytes;
	run = mmap(NULL, probe->run_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, probe->cpu, 0);
	if (run == MAP_FAILED)
		return false;
	probe->run = run;
	return install_cpuid(probe) && enter_long_mode(probe);
}

/* Runs in the thread that probes; a KVM_RUN that is about to begin ends at once. */
static void on_alarm(int number, siginfo_t *info, void *context)
{
	struct kvm_run *run = info->si_value.sival_ptr;

	if (info->si_code == SI_TIMER)
		__atomic_store_n(&run->immediate_exit, 1, __ATOMIC_SEQ_CST);
}

static bool set_alarm(struct probe_vm *probe)
{
	struct sigaction action = { .sa_sigaction = on_alarm, .sa_flags = SA_SIGINFO };
	struct sigevent event = { .sigev_notify = SIGEV_THREAD_ID,
				  .sigev_signo = KVM_KICK_SIGNAL,
				  .sigev_value.sival_ptr = probe->run };
	struct itimerspec when = { .it_value.tv_nsec = (long)limit_ns };

	sigemptyset(&action.sa_mask);
	event._sigev_un._tid = gettid();
	if (timer_create(CLOCK_MONOTONIC, &event, &probe->timer) < 0)
		return false;
	probe->has_timer = true;
	if (sigaction(KVM_KICK_SIGNAL, &action, &probe->before) < 0)
		return false;
	return timer_settime(probe->timer, 0, &when, NULL) >= 0;
}

/* Takes back what set_alarm did. A deleted timer's signal may still be pending, and would end the
 * process if no one had a handler before. */
static void discard_late_alarm(const struct probe_vm *probe)
{
	struct timespec at_once = { 0 };
	sigset_t kick, before;

	sigemptyset(&kick);
	sigaddset(&kick, KVM_KICK_SIGNAL);
	pthread_sigmask(SIG_BLOCK, &kick, &before);
	while (sigtimedwait(&kick, NULL, &at_once) > 0)
		continue;
	sigaction(KVM_KICK_SIGNAL, &probe->before, NULL);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
}

static void finish(struct probe_vm *probe)
{
	if (probe->has_timer) {
		timer_delete(probe->timer);
		discard_late_alarm(probe);
	}
	if (probe->run)
		munmap(probe->run, probe->run_bytes);
	if (probe->cpu >= 0)
		close(probe->cpu);
	if (probe->vm >= 0)
		close(probe->vm);
	if (probe->memory)
		munmap(probe->memory, MEMORY_BYTES);
}

/* Runs from `rip` to the next HLT. False: `what` ended otherwise, and `result` says how. */
static bool run_to_halt(struct probe_vm *probe, const char *what, uint64_t rip, uint64_t loops,
			struct kvm_probe_result *result)
{
	struct kvm_regs regs = { .rip = rip, .rcx = loops, .rdi = DATA, .rsp = PML4, .rflags = 2 };
	const char *name;

	result->verdict = MW_ACCEL_PARTIAL;
	if (ioctl(probe->cpu, KVM_SET_REGS, &regs) < 0 || ioctl(probe->cpu, KVM_RUN, 0) < 0) {
		if (errno == EINTR)
			result->verdict = MW_ACCEL_SLOW;
		snprintf(result->reason, sizeof(result->reason), "%s",
			 errno == EINTR ? "200 instructions of a kernel take it over 10 ms"
					: strerror(errno));
		return false;
	}
	if (probe->run->exit_reason == KVM_EXIT_HLT)
		return true;
	name = kvm_exit_name(probe->run->exit_reason);
	snprintf(result->reason, sizeof(result->reason), "%s ends with exit %u (%s)", what,
		 probe->run->exit_reason, name ? name : "unknown");
	return false;
}

/* Segments are paragraphs, and the stack is where SS says. */
static bool try_real_mode(struct probe_vm *probe, struct kvm_probe_result *result)
{
	struct kvm_sregs sregs = probe->real_mode;
	struct kvm_regs regs;
	uint16_t word;

	sregs.cs.base = sregs.cs.selector = CODE;
	if (ioctl(probe->cpu, KVM_SET_SREGS, &sregs) < 0) {
		result->verdict = MW_ACCEL_PARTIAL;
		snprintf(result->reason, sizeof(result->reason), "real mode is refused: %s",
			 strerror(errno));
		return false;
	}
	if (!run_to_halt(probe, "real mode", CODE + REAL, 0, result))
		return false;
	memcpy(&word, probe->memory + DATA + REAL_WORD, sizeof(word));
	if (word == 0x5aa5 && ioctl(probe->cpu, KVM_GET_REGS, &regs) >= 0 &&
	    (regs.rcx & 0xffff) == DATA >> 4)
		return true;
	result->verdict = MW_ACCEL_PARTIAL;
	snprintf(result->reason, sizeof(result->reason), "real mode goes wrong");
	return false;
}

/* Time of one run to the next HLT, or UINT64_MAX. */
static uint64_t time_run(struct probe_vm *probe, uint64_t loops, struct kvm_probe_result *result)
{
	uint64_t begin = now_ns();

	return run_to_halt(probe, "a loop in a kernel", CODE, loops, result) ? now_ns() - begin
									     : UINT64_MAX;
}

/* Time of the loops alone: an entry and exit, which may cost more than the loop, is measured as well
 * and taken off. The best of the rounds counts, since a shared host disturbs some. */
static bool measure(struct probe_vm *probe, struct kvm_probe_result *result)
{
	uint64_t end = now_ns() + budget_ns, empty = UINT64_MAX, full = UINT64_MAX, rate;

	for (unsigned round = 0; round < ROUNDS && (!round || now_ns() < end); round++) {
		uint64_t one = time_run(probe, 1, result), all;

		all = one == UINT64_MAX ? one : time_run(probe, ROUND_LOOPS, result);
		if (all == UINT64_MAX)
			return false;
		empty = one < empty ? one : empty;
		full = all < full ? all : full;
	}
	rate = ROUND_INSTRUCTIONS * UINT64_C(1000000000) / (full > empty ? full - empty : 1);
	if (rate >= slow_per_second)
		return true;
	result->verdict = MW_ACCEL_SLOW;
	snprintf(result->reason, sizeof(result->reason),
		 "it runs a kernel's code at %llu thousand instructions a second",
		 (unsigned long long)(rate / 1000));
	return false;
}

static void judge(int kvm, struct kvm_probe_result *result)
{
	struct probe_vm probe = { .kvm = kvm, .vm = -1, .cpu = -1 };
	struct kvm_probe_result more = { 0 };
	bool slow, whole;

	if (!create_vm(&probe) || !set_alarm(&probe)) {
		result->verdict = MW_ACCEL_PARTIAL;
		snprintf(result->reason, sizeof(result->reason), "a small VM cannot be made: %s",
			 strerror(errno));
		finish(&probe);
		return;
	}
	/* A missing instruction is worse than a low rate, and says more. */
	slow = !measure(&probe, result);
	whole = (slow && result->verdict == MW_ACCEL_PARTIAL) ||
		(run_to_halt(&probe, "CMPXCHG16B in a kernel", CODE + ATOMIC, 0, &more) &&
		 try_real_mode(&probe, &more));
	if (!whole && (!slow || more.verdict == MW_ACCEL_PARTIAL))
		*result = more;
	else if (!slow)
		*result = (struct kvm_probe_result){ MW_ACCEL_GOOD, "" };
	finish(&probe);
}

static bool read_line(const char *path, char *line, size_t capacity)
{
	int file = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t count = file < 0 ? -1 : read(file, line, capacity - 1);

	if (file >= 0)
		close(file);
	line[count > 0 ? count : 0] = '\0';
	line[strcspn(line, "\n")] = '\0';
	return line[0];
}

/* An answer holds for one boot of the host and one kind of module. */
static bool cache_key(char key[100])
{
	static const char *const modules[] = { "kvm_amd", "kvm_intel", "kvm_pvm" };
	char path[64];
	size_t used;

	if (!read_line("/proc/sys/kernel/random/boot_id", key, 64))
		return false;
	for (size_t i = 0; i < sizeof(modules) / sizeof(modules[0]); i++) {
		snprintf(path, sizeof(path), "/sys/module/%s", modules[i]);
		used = strlen(key);
		snprintf(key + used, 100 - used, "%s", access(path, F_OK) == 0 ? " 1" : " 0");
	}
	return true;
}

/* $XDG_RUNTIME_DIR goes with the session and is private; else the user's cache. */
static bool cache_path(char path[256])
{
	const char *runtime = getenv("XDG_RUNTIME_DIR"), *cache = getenv("XDG_CACHE_HOME");
	const char *home = getenv("HOME");
	int length = -1;

	if (runtime && runtime[0] == '/')
		length = snprintf(path, 256, "%s/millwright-kvm-probe", runtime);
	else if (cache && cache[0] == '/')
		length = snprintf(path, 256, "%s/millwright-kvm-probe", cache);
	else if (home && home[0] == '/')
		length = snprintf(path, 256, "%s/.cache/millwright-kvm-probe", home);
	return length > 0 && length < 256;
}

static void judge_or_recall(int kvm, struct kvm_probe_result *result)
{
	char key[100], path[256];
	bool cached = cache_key(key) && cache_path(path);

	if (cached && kvm_probe_cache_read(path, key, result))
		return;
	judge(kvm, result);
	if (cached)
		kvm_probe_cache_write(path, key, result);
}

/* Returns /dev/kvm, or a negative number when it is not there for us. */
static int begin_probe(struct mw_accel_probe *probe)
{
	int kvm;

	memset(probe, 0, sizeof(*probe));
	kvm = kvm_host_open(probe->reason);
	if (kvm < 0)
		probe->verdict = MW_ACCEL_ABSENT;
	else
		kvm_host_caps(kvm, &probe->caps);
	return kvm;
}

void kvm_probe(struct mw_accel_probe *probe)
{
	struct kvm_probe_result result = { 0 };
	int kvm = begin_probe(probe);

	if (kvm < 0)
		return;
	judge_or_recall(kvm, &result);
	close(kvm);
	probe->verdict = result.verdict;
	if (result.verdict != MW_ACCEL_GOOD)
		snprintf(probe->reason, sizeof(probe->reason), "%s", result.reason);
}

void kvm_look(struct mw_accel_probe *probe)
{
	int kvm = begin_probe(probe);
	const char *remark = kvm_host_remark();

	if (kvm < 0)
		return;
	close(kvm);
	if (!remark)
		return;
	probe->verdict = MW_ACCEL_SLOW;
	snprintf(probe->reason, sizeof(probe->reason), "%s", remark);
}
