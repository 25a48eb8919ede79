/* LD_PRELOAD: counts what asks for heap memory, and what is never given back. Writes both counts to the file that
 * BENCH_ALLOCATIONS names, at the end. */
#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

extern void *__libc_malloc(size_t);
extern void *__libc_calloc(size_t, size_t);
extern void *__libc_realloc(void *, size_t);
extern void *__libc_memalign(size_t, size_t);
extern void __libc_free(void *);

static atomic_long asked, live;

void *malloc(size_t size)
{
    asked++;
    live++;
    return __libc_malloc(size);
}

void *calloc(size_t number, size_t size)
{
    asked++;
    live++;
    return __libc_calloc(number, size);
}

void *realloc(void *old, size_t size)
{
    asked++;
    live += old == NULL;
    return __libc_realloc(old, size);
}

void *aligned_alloc(size_t alignment, size_t size)
{
    asked++;
    live++;
    return __libc_memalign(alignment, size);
}

int posix_memalign(void **memory, size_t alignment, size_t size)
{
    asked++;
    live++;
    *memory = __libc_memalign(alignment, size);
    return *memory ? 0 : ENOMEM;
}

void free(void *memory)
{
    live -= memory != NULL;
    __libc_free(memory);
}

__attribute__((destructor)) static void report(void)
{
    long counts[] = {asked, live};
    const char *path = getenv("BENCH_ALLOCATIONS");
    FILE *file = path ? fopen(path, "w") : NULL;
    if (file) {
        fprintf(file, "%ld %ld\n", counts[0], counts[1]);
        fclose(file);
    }
}
