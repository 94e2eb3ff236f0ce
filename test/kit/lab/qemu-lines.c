/*
 * The modem lines of a terminal that has none. Loaded into qemu (LD_PRELOAD), it answers the calls that ask a serial port
 * for its lines and that set them: a pty refuses those. FOLDER/N, with FOLDER from the environment (MODEM_LINES), holds the
 * lines of /dev/pts/N as two words of TIOCM bits: the ones that the port sees, and the ones that it drives.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The file of a terminal's lines, or -1 for anything else. */
static int lines_of(int fd) {
  char link[40], target[64], path[512];
  const char *folder = getenv("MODEM_LINES");
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t length = readlink(link, target, sizeof target - 1);
  if (folder == NULL || length < 0) return -1;
  target[length] = '\0';
  if (strncmp(target, "/dev/pts/", 9) != 0) return -1;
  snprintf(path, sizeof path, "%s/%s", folder, target + 9);
  return open(path, O_RDWR | O_CLOEXEC);
}

int ioctl(int fd, unsigned long request, ...) {
  va_list arguments;
  va_start(arguments, request);
  void *argument = va_arg(arguments, void *);
  va_end(arguments);
  int file = request == TIOCMGET || request == TIOCMSET ? lines_of(fd) : -1;
  if (file < 0) return syscall(SYS_ioctl, fd, request, argument);
  uint32_t seen = 0, driven = 0;
  if (request == TIOCMGET) {
    pread(file, &seen, sizeof seen, 0);
    pread(file, &driven, sizeof driven, sizeof seen);
    *(int *)argument = seen | driven;
  } else {
    driven = *(int *)argument & (TIOCM_DTR | TIOCM_RTS);
    pwrite(file, &driven, sizeof driven, sizeof seen);
  }
  close(file);
  return 0;
}
