/* Opens files of a list at random, over and over, and writes down what it got open: the openers of the long rounds.

   opener REPORT PAUSE LIST   REPORT is a descriptor, PAUSE microseconds between two opens, LIST a file with one path a
   line. A record is what tests/enforcement/load.py reads: wall time before and after in nanoseconds, pid, number of the
   file, in the machine's own order. It never ends by itself. */

#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

struct opened { int64_t before, after; int32_t pid, number; };

static int64_t now(void) {
    struct timespec at;
    clock_gettime(CLOCK_REALTIME, &at);
    return (int64_t)at.tv_sec * 1000000000 + at.tv_nsec;
}

int main(int count, char **words) {
    if (count != 4) return 2;
    int report = atoi(words[1]);
    useconds_t pause = (useconds_t)atoi(words[2]);
    static char paths[4096][512];
    int32_t known = 0;
    FILE *list = fopen(words[3], "r");
    if (!list) return 2;
    while (known < 4096 && fgets(paths[known], sizeof paths[0], list)) {
        paths[known][strcspn(paths[known], "\n")] = 0;
        known++;
    }
    fclose(list);
    if (!known) return 2;
    unsigned chance = (unsigned)getpid();
    for (;;) {
        usleep(pause);
        struct opened one = {0, 0, getpid(), (int32_t)(rand_r(&chance) % (unsigned)known)};
        one.before = now();
        int fd = open(paths[one.number], O_RDONLY | O_CLOEXEC);
        if (fd < 0) continue;
        one.after = now();
        if (write(report, &one, sizeof one) != sizeof one) return 1;
        char some[16];
        if (read(fd, some, sizeof some) < 0) { /* the other group of events has its share */ }
        close(fd);
    }
}
