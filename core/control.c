/* What other threads ask of the main one: jobs between its turns, and a machine that is paused. */
// SPDX-License-Identifier: MIT
#include "core/machine_internal.h"

/** Lives on the stack of the thread that waits for it. */
struct mw_job {
	void (*run)(void *context, struct mw_machine *machine);
	void *context;
	enum { JOB_WAITS, JOB_DONE, JOB_DROPPED } state;
	struct mw_job *next;
};

void mw_jobs_init(struct mw_jobs *jobs)
{
	pthread_mutex_init(&jobs->mutex, NULL);
	pthread_cond_init(&jobs->done, NULL);
	jobs->end = &jobs->first;
	jobs->closed = true;
}

void mw_jobs_fini(struct mw_jobs *jobs)
{
	pthread_cond_destroy(&jobs->done);
	pthread_mutex_destroy(&jobs->mutex);
}

void mw_jobs_open(struct mw_jobs *jobs)
{
	pthread_mutex_lock(&jobs->mutex);
	jobs->closed = false;
	pthread_mutex_unlock(&jobs->mutex);
}

static struct mw_job *take_locked(struct mw_jobs *jobs)
{
	struct mw_job *job = jobs->first;

	if (!job)
		return NULL;
	jobs->first = job->next;
	if (!jobs->first)
		jobs->end = &jobs->first;
	return job;
}

void mw_jobs_close(struct mw_jobs *jobs)
{
	struct mw_job *job;

	pthread_mutex_lock(&jobs->mutex);
	jobs->closed = true;
	while ((job = take_locked(jobs)))
		job->state = JOB_DROPPED;
	pthread_cond_broadcast(&jobs->done);
	pthread_mutex_unlock(&jobs->mutex);
}

bool mw_jobs_run_one(struct mw_machine *machine)
{
	struct mw_jobs *jobs = &machine->jobs;

	pthread_mutex_lock(&jobs->mutex);
	struct mw_job *job = take_locked(jobs);

	pthread_mutex_unlock(&jobs->mutex);
	if (!job)
		return false;
	job->run(job->context, machine);
	pthread_mutex_lock(&jobs->mutex);
	job->state = JOB_DONE;
	pthread_cond_broadcast(&jobs->done);
	pthread_mutex_unlock(&jobs->mutex);
	return true;
}

bool mw_machine_call(struct mw_machine *machine,
		     void (*run)(void *context, struct mw_machine *machine), void *context)
{
	struct mw_jobs *jobs = &machine->jobs;
	struct mw_job job = { .run = run, .context = context };

	pthread_mutex_lock(&jobs->mutex);
	if (jobs->closed) {
		pthread_mutex_unlock(&jobs->mutex);
		return false;
	}
	*jobs->end = &job;
	jobs->end = &job.next;
	mw_loop_wake(machine->loop);
	while (job.state == JOB_WAITS)
		pthread_cond_wait(&jobs->done, &jobs->mutex);
	pthread_mutex_unlock(&jobs->mutex);
	return job.state == JOB_DONE;
}

void mw_machine_observe(struct mw_machine *machine, struct mw_machine_observer observer)
{
	machine->observer = observer;
}

void mw_machine_tell(struct mw_machine *machine, enum mw_machine_event event,
		     enum mw_power_event cause)
{
	if (machine->observer.on_event)
		machine->observer.on_event(machine->observer.context, event, cause);
}

void mw_machine_pause(struct mw_machine *machine)
{
	bool was_running = machine->running;

	machine->paused = true;
	mw_machine_stop(machine);
	if (was_running)
		mw_machine_tell(machine, MW_MACHINE_PAUSED, MW_POWER_EXIT);
}

enum mw_status mw_machine_resume(struct mw_machine *machine)
{
	bool was_running = machine->running;
	enum mw_status status;

	machine->paused = false;
	status = mw_machine_start(machine);
	if (!was_running && status == MW_STATUS_OK)
		mw_machine_tell(machine, MW_MACHINE_RESUMED, MW_POWER_EXIT);
	return status;
}

bool mw_machine_is_running(const struct mw_machine *machine)
{
	return machine->running;
}

enum mw_status mw_machine_fetch_chips(struct mw_machine *machine)
{
	const struct mw_executor *executor = &machine->executor;
	enum mw_status status = MW_STATUS_OK;

	for (uint32_t i = 0; i < machine->plan->node_count && status == MW_STATUS_OK; i++)
		if (machine->nodes[i]->offloaded && executor->ops->get_node)
			status = executor->ops->get_node(executor->self, i);
	return status;
}
