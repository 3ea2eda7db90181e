// Runs a program and writes "user_us system_us wall_us peak_kb status" to file descriptor 3.
//
// Why not from Python: a child keeps the peak memory of the process that it was forked from, also
// through exec, and no small program would be seen below the interpreter's 14 MB.
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static long long now_us(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (long long)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static long long to_us(struct timeval time) {
    return (long long)time.tv_sec * 1000000 + time.tv_usec;
}

int main(int argc, char **argv) {
    if (argc < 2) {
        fprintf(stderr, "usage: measure PROGRAM [ARGUMENT…] 3>FILE\n");
        return 2;
    }
    const long long start_us = now_us();
    const pid_t child = fork();
    if (child == 0) {
        close(3);
        execv(argv[1], argv + 1);
        perror(argv[1]);
        _exit(127);
    }
    int status = 0;
    struct rusage usage;
    if (child < 0 || wait4(child, &status, 0, &usage) != child) {
        perror("measure");
        return 2;
    }
    dprintf(3, "%lld %lld %lld %ld %d\n", to_us(usage.ru_utime), to_us(usage.ru_stime),
            now_us() - start_us, usage.ru_maxrss,
            WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
    return 0;
}
