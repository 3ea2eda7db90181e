#ifndef TESTS_RUN_ORACLE_SOAK_H
#define TESTS_RUN_ORACLE_SOAK_H

// Worlds by the ten thousand: in blocks, by several processes at once, and what was played is
// written down, so that a soak that was broken off goes on where it was.
//
// The record is a text file with a line a block: its first world, then the counts.

#include "run/oracle_world.h"

#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>

enum { SOAK_BLOCK = 10, SOAK_NEWS_SECONDS = 15, SOAK_COUNTS = 5 };

// Shared by the processes.
struct soak_board {
    atomic_uint_fast64_t next; // block
    atomic_uint_fast64_t worlds;
    atomic_uint_fast64_t counts[SOAK_COUNTS];
    atomic_bool failed;
};

struct soak {
    const char *record;
    uint64_t from;
    uint64_t worlds;
    bool *done; // by block
    struct soak_board *board;
    // Plays the worlds; false when one failed, and then it said how.
    bool (*play)(uint64_t from, uint64_t to, struct oracle_count *count);
};

static inline uint64_t soak_blocks(const struct soak *soak) {
    return (soak->worlds + SOAK_BLOCK - 1) / SOAK_BLOCK;
}

static inline uint64_t soak_block_worlds(const struct soak *soak, uint64_t block) {
    const uint64_t left = soak->worlds - block * SOAK_BLOCK;
    return left < SOAK_BLOCK ? left : SOAK_BLOCK;
}

static inline void soak_add(struct soak *soak, uint64_t worlds, const uint64_t *counts) {
    atomic_fetch_add(&soak->board->worlds, worlds);
    for (size_t i = 0; i < SOAK_COUNTS; i++) {
        atomic_fetch_add(&soak->board->counts[i], counts[i]);
    }
}

// What earlier soaks played of these worlds.
static inline void soak_remember(struct soak *soak) {
    FILE *file = fopen(soak->record, "r");
    unsigned long long line[2 + SOAK_COUNTS];
    while (file != NULL && fscanf(file, "%llu %llu %llu %llu %llu %llu %llu", &line[0], &line[1],
                                  &line[2], &line[3], &line[4], &line[5], &line[6]) == 7) {
        const uint64_t block = (line[0] - soak->from) / SOAK_BLOCK;
        if (line[0] < soak->from || block >= soak_blocks(soak) ||
            (line[0] - soak->from) % SOAK_BLOCK != 0 || line[1] != soak_block_worlds(soak, block) ||
            soak->done[block]) {
            continue;
        }
        uint64_t counts[SOAK_COUNTS];
        for (size_t i = 0; i < SOAK_COUNTS; i++) {
            counts[i] = line[2 + i];
        }
        soak->done[block] = true;
        soak_add(soak, line[1], counts);
    }
    if (file != NULL) {
        (void)fclose(file);
    }
}

// One line in one write, so that the processes do not write into one another's.
static inline bool soak_record(struct soak *soak, uint64_t first, uint64_t worlds,
                               const uint64_t *counts) {
    FILE *file = fopen(soak->record, "a");
    if (file == NULL) {
        (void)fprintf(stderr, "cannot write %s\n", soak->record);
        return false;
    }
    (void)fprintf(file, "%llu %llu", (unsigned long long)first, (unsigned long long)worlds);
    for (size_t i = 0; i < SOAK_COUNTS; i++) {
        (void)fprintf(file, " %llu", (unsigned long long)counts[i]);
    }
    (void)fprintf(file, "\n");
    return fclose(file) == 0;
}

static inline bool soak_play_block(struct soak *soak, uint64_t block) {
    SCRATCH(arena);
    struct oracle_count count = {0};
    map_init(&count.shapes, &arena);
    const uint64_t first = soak->from + block * SOAK_BLOCK;
    const uint64_t worlds = soak_block_worlds(soak, block);
    if (!soak->play(first, first + worlds, &count)) {
        return false;
    }
    const uint64_t counts[SOAK_COUNTS] = {(uint64_t)count.sequences, (uint64_t)count.runs,
                                          (uint64_t)count.checks, (uint64_t)count.failures,
                                          (uint64_t)count.intrusions};
    soak_add(soak, worlds, counts);
    return soak_record(soak, first, worlds, counts);
}

static inline void soak_work(struct soak *soak) {
    while (!atomic_load(&soak->board->failed)) {
        const uint64_t block = atomic_fetch_add(&soak->board->next, 1);
        if (block >= soak_blocks(soak)) {
            return;
        }
        if (!soak->done[block] && !soak_play_block(soak, block)) {
            atomic_store(&soak->board->failed, true);
        }
    }
}

static inline void soak_tell(const struct soak *soak, uint64_t earlier, int64_t seconds) {
    struct soak_board *board = soak->board;
    const uint64_t worlds = atomic_load(&board->worlds);
    const uint64_t sequences = atomic_load(&board->counts[0]);
    const double rate = seconds > 0 ? (double)(sequences - earlier) / (double)seconds : 0.0;
    const double left =
        worlds > 0 && rate > 0
            ? (double)(soak->worlds - worlds) * ((double)sequences / (double)worlds) / rate / 60
            : 0.0;
    (void)fprintf(
        stderr,
        "worlds %llu of %llu: %llu sequences, %llu runs of models, %llu comparisons, %llu "
        "rightly failed, %llu edits meanwhile; %.1f sequences a second, %.0f min left\n",
        (unsigned long long)worlds, (unsigned long long)soak->worlds, (unsigned long long)sequences,
        (unsigned long long)atomic_load(&board->counts[1]),
        (unsigned long long)atomic_load(&board->counts[2]),
        (unsigned long long)atomic_load(&board->counts[3]),
        (unsigned long long)atomic_load(&board->counts[4]), rate, left);
}

// Whether all went well.
static inline bool soak_run(struct soak *soak, uint64_t processes) {
    soak->board =
        mmap(NULL, sizeof(*soak->board), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    soak->done = calloc(soak_blocks(soak), sizeof(*soak->done));
    if (soak->board == MAP_FAILED || soak->done == NULL) {
        return false;
    }
    *soak->board = (struct soak_board){0};
    soak_remember(soak);
    const uint64_t earlier = atomic_load(&soak->board->counts[0]);
    const time_t began = time(NULL);
    uint64_t running = 0;
    for (uint64_t i = 0; i < processes; i++) {
        const pid_t pid = fork();
        if (pid == 0) {
            soak_work(soak);
            _exit(0);
        }
        running += pid > 0 ? 1 : 0;
    }
    for (time_t told = began; running > 0;) {
        int status = 0;
        if (waitpid(-1, &status, WNOHANG) > 0) {
            running--;
            if (status != 0) { // it crashed
                atomic_store(&soak->board->failed, true);
            }
        } else {
            (void)usleep(200000);
        }
        if (time(NULL) - told >= SOAK_NEWS_SECONDS) {
            told = time(NULL);
            soak_tell(soak, earlier, told - began);
        }
    }
    soak_tell(soak, earlier, time(NULL) - began);
    const bool complete =
        !atomic_load(&soak->board->failed) && atomic_load(&soak->board->worlds) == soak->worlds;
    free(soak->done);
    (void)munmap(soak->board, sizeof(*soak->board));
    return complete;
}

#endif
