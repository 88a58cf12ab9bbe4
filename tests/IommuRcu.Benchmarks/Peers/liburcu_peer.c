/* liburcu as a peer: measures one short round of its memb or bp flavour for each line it is given, so that rounds interleave with ours. */

/*
 * gcc -O2 -D_LGPL_SOURCE -pthread liburcu_peer.c -lurcu-memb -lurcu-bp    (_LGPL_SOURCE: the read side is inlined)
 *
 *   read memb|bp THREADS ITERATIONS      section opened and closed, each thread its own loop
 *   call memb|bp THREADS ITERATIONS      the same in a function that is called for each section
 *   grace memb|bp READERS ITERATIONS     synchronize_rcu, with threads that open and close sections all the while
 *   retire memb READERS ITERATIONS       call_rcu for each of as many objects, then rcu_barrier: callbacks included
 *
 * Answers nanoseconds an operation (of several threads: from the first start to the last end), a line each; ends at end of input.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <urcu/urcu-memb.h>
#include <urcu/urcu-bp.h>

#define MAX_THREADS 16

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1e9 + t.tv_nsec;
}

struct round {
    bool bp;
    bool calls;
    long iterations;
    atomic_int *ready;
    int threads;
    double start, end;
    atomic_bool *stop;
};

/* The section's body is one volatile load of a shared word, as in every other contender. */
static volatile long shared;

static void read_memb(long n)
{
    for (long i = 0; i < n; i++) {
        urcu_memb_read_lock();
        (void)shared;
        urcu_memb_read_unlock();
    }
}

static void read_bp(long n)
{
    for (long i = 0; i < n; i++) {
        urcu_bp_read_lock();
        (void)shared;
        urcu_bp_read_unlock();
    }
}

static __attribute__((noinline)) void one_memb(void)
{
    urcu_memb_read_lock();
    (void)shared;
    urcu_memb_read_unlock();
}

static __attribute__((noinline)) void one_bp(void)
{
    urcu_bp_read_lock();
    (void)shared;
    urcu_bp_read_unlock();
}

static void call_sections(bool bp, long n)
{
    for (long i = 0; i < n; i++) {
        if (bp)
            one_bp();
        else
            one_memb();
    }
}

static void *reader(void *argument)
{
    struct round *round = argument;
    if (!round->bp)
        urcu_memb_register_thread();
    else
        urcu_bp_register_thread();
    atomic_fetch_add(round->ready, 1);
    while (atomic_load(round->ready) < round->threads)
        ;
    if (round->stop) {
        while (!atomic_load_explicit(round->stop, memory_order_relaxed)) {
            if (round->bp)
                read_bp(100);
            else
                read_memb(100);
        }
    } else {
        round->start = now();
        if (round->calls)
            call_sections(round->bp, round->iterations);
        else if (round->bp)
            read_bp(round->iterations);
        else
            read_memb(round->iterations);
        round->end = now();
    }
    if (!round->bp)
        urcu_memb_unregister_thread();
    else
        urcu_bp_unregister_thread();
    return NULL;
}

static double read_sections(bool bp, bool calls, int threads, long iterations)
{
    pthread_t ids[MAX_THREADS];
    struct round rounds[MAX_THREADS];
    atomic_int ready = 0;
    double start = 0, end = 0;
    for (int i = 0; i < threads; i++) {
        rounds[i] = (struct round){ bp, calls, iterations, &ready, threads, 0, 0, NULL };
        if (i > 0)
            pthread_create(&ids[i], NULL, reader, &rounds[i]);
    }
    reader(&rounds[0]);
    for (int i = 0; i < threads; i++) {
        if (i > 0)
            pthread_join(ids[i], NULL);
        start = i == 0 || rounds[i].start < start ? rounds[i].start : start;
        end = i == 0 || rounds[i].end > end ? rounds[i].end : end;
    }
    return (end - start) / iterations;
}

struct object {
    struct rcu_head head;
    long payload[6];
};

static long freed;

static void free_object(struct rcu_head *head)
{
    (void)head;
    freed++;
}

static double waits(bool bp, bool retire, int readers, long iterations)
{
    pthread_t ids[MAX_THREADS];
    atomic_int ready = 0;
    atomic_bool stop = false;
    struct round round = { bp, false, 0, &ready, readers, 0, 0, &stop };
    static struct object *objects;
    static long capacity;
    for (int i = 0; i < readers; i++)
        pthread_create(&ids[i], NULL, reader, &round);
    while (atomic_load(&ready) < readers)
        ;
    if (retire && capacity < iterations) {
        free(objects);
        objects = calloc(iterations, sizeof *objects);
        capacity = iterations;
    }
    double ns;
    if (retire) {
        urcu_memb_register_thread();
        double start = now();
        for (long i = 0; i < iterations; i++)
            urcu_memb_call_rcu(&objects[i].head, free_object);
        urcu_memb_barrier();
        ns = (now() - start) / iterations;
        urcu_memb_unregister_thread();
    } else {
        /* Registered: with nobody registered there would be nothing to wait for at all. */
        if (bp)
            urcu_bp_register_thread();
        else
            urcu_memb_register_thread();
        double start = now();
        for (long i = 0; i < iterations; i++) {
            if (bp)
                urcu_bp_synchronize_rcu();
            else
                urcu_memb_synchronize_rcu();
        }
        ns = (now() - start) / iterations;
        if (bp)
            urcu_bp_unregister_thread();
        else
            urcu_memb_unregister_thread();
    }
    atomic_store(&stop, true);
    for (int i = 0; i < readers; i++)
        pthread_join(ids[i], NULL);
    return ns;
}

int main(void)
{
    char line[128], what[16], flavour[16];
    int threads;
    long iterations;
    while (fgets(line, sizeof line, stdin)) {
        if (sscanf(line, "%15s %15s %d %ld", what, flavour, &threads, &iterations) != 4 || iterations < 1
            || threads < 0 || threads > MAX_THREADS) {
            fprintf(stderr, "not understood: %s", line);
            return 2;
        }
        bool bp = strcmp(flavour, "bp") == 0;
        double ns = strcmp(what, "read") == 0 ? read_sections(bp, false, threads, iterations)
            : strcmp(what, "call") == 0 ? read_sections(bp, true, threads, iterations)
            : strcmp(what, "grace") == 0 ? waits(bp, false, threads, iterations)
            : waits(false, true, threads, iterations);
        printf("%.4f\n", ns);
        fflush(stdout);
    }
    return 0;
}
