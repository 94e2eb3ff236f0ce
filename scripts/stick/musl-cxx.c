// What libstdc++, built for glibc, takes from glibc and musl has not: the rest of musl-cxx.ts links it to musl.

typedef unsigned long size;
extern long getrandom(void *bytes, size length, unsigned flags);

#define HIDDEN __attribute__((visibility("hidden")))

// Nobody clears it when a second thread starts, so it must never say "single".
HIDDEN char __libc_single_threaded = 0;
HIDDEN void *__dso_handle = &__dso_handle;

HIDDEN unsigned arc4random(void) {
  unsigned bits = 0;
  getrandom(&bits, sizeof bits, 0);
  return bits;
}

// "Not found": libgcc then goes through dl_iterate_phdr.
HIDDEN int _dl_find_object(void *address, void *result) {
  (void)address;
  (void)result;
  return -1;
}
