/*
 * What the bench measures against, and what it measures on: scripts/bench/link.ts compiles and starts it.
 *
 *   yardstick link TTY OUR PEER            async HDLC (RFC 1662) between a new TUN and TTY, no negotiation: the least
 *                                          any PPP program has to do to a packet
 *   yardstick line BAUD ERRORS SEED        a null-modem cable between two new ptys, 8N1 at BAUD bits a second (0: as
 *                                          fast as it goes); each octet is damaged with the probability ERRORS
 *
 * `line` says "ready TTY TTY", and after each line of input its counters as JSON; it ends with its input.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <math.h>
#include <net/if.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

enum { SPACE = 65536 };

static int open_raw(const char *path)
{
	struct termios settings;
	int tty = open(path, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
	if (tty < 0 || tcgetattr(tty, &settings) < 0)
		err(1, "%s", path);
	cfmakeraw(&settings);
	cfsetspeed(&settings, B115200);
	settings.c_cflag |= CLOCAL | CREAD;
	if (tcsetattr(tty, TCSANOW, &settings) < 0)
		err(1, "%s", path);
	return tty;
}

/* ---- link ---- */

enum { FLAG = 0x7e, ESCAPE = 0x7d, FCS_INIT = 0xffff, FCS_GOOD = 0xf0b8, MTU = 1500, QUEUE = 500 };
/* Octets that may wait for the tty before no more packets are taken. */
enum { AHEAD = 16384 };
/* Address, control, protocol 0021. */
static const uint8_t HEADER[] = { 0xff, 0x03, 0x00, 0x21 };

static uint16_t fcs_table[256];

/* FCS-16, the polynomial x^16 + x^12 + x^5 + 1 with the lowest bit first. */
static void make_fcs_table(void)
{
	for (int octet = 0; octet < 256; octet++) {
		unsigned fcs = octet;
		for (int bit = 0; bit < 8; bit++)
			fcs = fcs & 1 ? fcs >> 1 ^ 0x8408 : fcs >> 1;
		fcs_table[octet] = fcs;
	}
}

static int open_tun(const char *our, const char *peer)
{
	struct ifreq request = { .ifr_name = "tun%d", .ifr_flags = IFF_TUN | IFF_NO_PI };
	int tun = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
	int inet = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (tun < 0 || inet < 0 || ioctl(tun, TUNSETIFF, &request) < 0)
		err(1, "tun");
	const char *addresses[] = { our, peer, "255.255.255.255" };
	const int requests[] = { SIOCSIFADDR, SIOCSIFDSTADDR, SIOCSIFNETMASK };
	for (int i = 0; i < 3; i++) {
		struct sockaddr_in *address = (struct sockaddr_in *)&request.ifr_addr;
		memset(address, 0, sizeof *address);
		address->sin_family = AF_INET;
		if (inet_pton(AF_INET, addresses[i], &address->sin_addr) != 1)
			errx(2, "%s is no address", addresses[i]);
		if (ioctl(inet, requests[i], &request) < 0)
			err(1, "%s", addresses[i]);
	}
	request.ifr_mtu = MTU;
	if (ioctl(inet, SIOCSIFMTU, &request) < 0)
		err(1, "mtu");
	request.ifr_qlen = QUEUE;
	if (ioctl(inet, SIOCSIFTXQLEN, &request) < 0)
		err(1, "txqueuelen");
	request.ifr_flags = IFF_UP | IFF_RUNNING | IFF_POINTOPOINT;
	if (ioctl(inet, SIOCSIFFLAGS, &request) < 0)
		err(1, "up");
	close(inet);
	return tun;
}

static inline uint8_t *put_octet(uint8_t *out, uint8_t octet)
{
	if (octet == FLAG || octet == ESCAPE) {
		*out++ = ESCAPE;
		octet ^= 0x20;
	}
	*out++ = octet;
	return out;
}

static inline uint16_t fcs_next(uint16_t fcs, uint8_t octet)
{
	return fcs >> 8 ^ fcs_table[(fcs ^ octet) & 0xff];
}

/* The packet as a frame, its closing flag the next one's opening flag; returns where it ends. */
static uint8_t *put_frame(uint8_t *out, const uint8_t *packet, size_t length)
{
	uint16_t fcs = FCS_INIT;
	for (size_t i = 0; i < sizeof HEADER; i++) {
		fcs = fcs_next(fcs, HEADER[i]);
		out = put_octet(out, HEADER[i]);
	}
	for (size_t i = 0; i < length; i++) {
		fcs = fcs_next(fcs, packet[i]);
		out = put_octet(out, packet[i]);
	}
	out = put_octet(out, ~fcs & 0xff);
	out = put_octet(out, ~fcs >> 8 & 0xff);
	*out++ = FLAG;
	return out;
}

struct deframer {
	uint8_t frame[sizeof HEADER + MTU + 2];
	size_t fill;
	uint16_t fcs;
	int escaped;
};

/* Hands the packets of good frames to the TUN. */
static void take_octets(struct deframer *d, const uint8_t *octets, size_t count, int tun)
{
	for (size_t i = 0; i < count; i++) {
		uint8_t octet = octets[i];
		if (octet == FLAG) {
			size_t packet = d->fill - sizeof HEADER - 2;
			if (d->fill > sizeof HEADER + 2 && d->fcs == FCS_GOOD && !d->escaped)
				if (write(tun, d->frame + sizeof HEADER, packet) < 0 && errno != EAGAIN)
					warn("tun");
			d->fill = d->escaped = 0;
			d->fcs = FCS_INIT;
		} else if (octet == ESCAPE) {
			d->escaped = 1;
		} else {
			if (d->escaped)
				octet ^= 0x20;
			d->escaped = 0;
			d->fcs = fcs_next(d->fcs, octet);
			if (d->fill < sizeof d->frame)
				d->frame[d->fill++] = octet;
		}
	}
}

static int run_link(char **arguments)
{
	static uint8_t in[SPACE], out[SPACE], packet[SPACE];
	static struct deframer deframer = { .fcs = FCS_INIT };
	make_fcs_table();
	int tty = open_raw(arguments[0]);
	int tun = open_tun(arguments[1], arguments[2]);
	size_t sent = 0, end = 0;
	out[end++] = FLAG;
	for (;;) {
		struct pollfd fds[] = { { tty, POLLIN, 0 }, { tun, 0, 0 } };
		if (sent < end)
			fds[0].events |= POLLOUT;
		else
			fds[1].events = POLLIN;
		if (poll(fds, 2, -1) < 0 && errno != EINTR)
			err(1, "poll");
		if (fds[0].revents & (POLLERR | POLLHUP))
			return 0;
		if (fds[1].revents & POLLIN) {
			sent = end = 0;
			while (end < AHEAD) {
				ssize_t length = read(tun, packet, sizeof packet);
				if (length <= 0)
					break;
				end = put_frame(out + end, packet, length) - out;
			}
		}
		if (sent < end) {
			ssize_t count = write(tty, out + sent, end - sent);
			if (count > 0)
				sent += count;
			else if (errno != EAGAIN)
				err(1, "tty");
		}
		if (fds[0].revents & POLLIN) {
			ssize_t count = read(tty, in, sizeof in);
			if (count > 0)
				take_octets(&deframer, in, count, tun);
		}
	}
}

/* ---- line ---- */

enum { GROUP_NS = 1000000 };

/* One direction. octets[at, end) were taken from the sender's pty and are not yet in the receiver's. */
struct flow {
	int from, to, blocked;
	uint8_t octets[SPACE];
	size_t at, end;
	/* Paced: when the first of them started on the wire. */
	int64_t started;
	/* Octets until the next one that is damaged, itself included. */
	uint64_t until_error;
	uint64_t carried, errors;
};

/* Duration of an octet, 0: none; and how many of them the sender's side holds. */
static int64_t octet_ns;
static size_t most = SPACE;
static double error_rate;
static uint64_t chance;

static int64_t now(void)
{
	struct timespec time;
	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * 1000000000LL + time.tv_nsec;
}

/* SplitMix64. */
static uint64_t next_chance(void)
{
	uint64_t bits = chance += 0x9e3779b97f4a7c15;
	bits = (bits ^ bits >> 30) * 0xbf58476d1ce4e5b9;
	bits = (bits ^ bits >> 27) * 0x94d049bb133111eb;
	return bits ^ bits >> 31;
}

/* Geometrically distributed, so that a clean stretch costs nothing. */
static uint64_t next_error(void)
{
	if (error_rate <= 0)
		return UINT64_MAX;
	double uniform = (next_chance() >> 11) * 0x1p-53;
	return 1 + (uint64_t)(log1p(-uniform) / log1p(-error_rate));
}

static void damage(struct flow *flow, uint8_t *octets, size_t count)
{
	if (flow->until_error == UINT64_MAX)
		return;
	while (flow->until_error <= count) {
		octets[flow->until_error - 1] ^= 1 << (next_chance() & 7);
		flow->errors++;
		flow->until_error += next_error();
	}
	flow->until_error -= count;
}

static void take(struct flow *flow)
{
	if (flow->at > 0) {
		memmove(flow->octets, flow->octets + flow->at, flow->end - flow->at);
		flow->end -= flow->at;
		flow->at = 0;
	}
	if (flow->end >= most)
		return;
	ssize_t count = read(flow->from, flow->octets + flow->end, most - flow->end);
	if (count <= 0)
		return;
	damage(flow, flow->octets + flow->end, count);
	if (flow->end == 0 && octet_ns > 0) {
		int64_t time = now();
		if (flow->started < time)
			flow->started = time;
	}
	flow->end += count;
}

/* When the next delivery is due, INT64_MAX: never. An octet is there with the end of its stop bit; they come in groups, as
 * from a receiver's FIFO, but the last one does not wait for others. */
static int64_t due(const struct flow *flow)
{
	size_t waiting = flow->end - flow->at;
	if (waiting == 0 || flow->blocked)
		return INT64_MAX;
	int64_t all = flow->started + waiting * octet_ns;
	int64_t group = flow->started + (octet_ns > GROUP_NS ? octet_ns : GROUP_NS);
	return octet_ns == 0 ? 0 : all < group ? all : group;
}

/* Hands over what has arrived. */
static void give(struct flow *flow)
{
	size_t arrived = flow->end - flow->at;
	int64_t time = octet_ns > 0 ? now() : 0;
	flow->blocked = 0;
	if (time < due(flow) || arrived == 0)
		return;
	if (octet_ns > 0 && (time - flow->started) / octet_ns < (int64_t)arrived)
		arrived = (time - flow->started) / octet_ns;
	ssize_t count = write(flow->to, flow->octets + flow->at, arrived);
	if (count < 0 && errno != EAGAIN)
		err(1, "line");
	if (count > 0) {
		flow->at += count;
		flow->carried += count;
		flow->started += count * octet_ns;
	}
	if (count == (ssize_t)arrived)
		return;
	/* The line stands still while nobody takes what it carries. */
	flow->blocked = 1;
	int64_t latest = time - (int64_t)(flow->end - flow->at) * octet_ns;
	if (flow->started < latest)
		flow->started = latest;
}

/* Its slave stays open, so that a program that closes it does not hang the line up. */
static int open_pty(char *name, size_t size)
{
	int pty = posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
	if (pty < 0 || grantpt(pty) < 0 || unlockpt(pty) < 0 || ptsname_r(pty, name, size) != 0)
		err(1, "pty");
	open_raw(name);
	return pty;
}

static int run_line(char **arguments)
{
	static struct flow flows[2];
	char names[2][64], command[64];
	double baud = atof(arguments[0]);
	error_rate = atof(arguments[1]);
	chance = strtoull(arguments[2], NULL, 10);
	if (baud > 0) {
		octet_ns = 10e9 / baud;
		most = 2 * GROUP_NS / octet_ns;
		most = most < 64 ? 64 : most > SPACE ? SPACE : most;
	}
	prctl(PR_SET_TIMERSLACK, 1000);
	int ptys[] = { open_pty(names[0], sizeof names[0]), open_pty(names[1], sizeof names[1]) };
	for (int i = 0; i < 2; i++) {
		flows[i].from = ptys[i];
		flows[i].to = ptys[1 - i];
		flows[i].until_error = next_error();
	}
	printf("ready %s %s\n", names[0], names[1]);
	for (;;) {
		fflush(stdout);
		give(&flows[0]);
		give(&flows[1]);
		int64_t first = due(&flows[0]), second = due(&flows[1]), left = first < second ? first : second;
		struct timespec wait = { 0, 0 };
		if (left != INT64_MAX && (left -= now()) > 0)
			wait = (struct timespec){ left / 1000000000, left % 1000000000 };
		struct pollfd fds[] = { { ptys[0], 0, 0 }, { ptys[1], 0, 0 }, { 0, POLLIN, 0 } };
		for (int i = 0; i < 2; i++) {
			if (flows[i].end - flows[i].at < most)
				fds[i].events |= POLLIN;
			if (flows[i].blocked)
				fds[1 - i].events |= POLLOUT;
		}
		if (ppoll(fds, 3, left == INT64_MAX ? NULL : &wait, NULL) < 0 && errno != EINTR)
			err(1, "ppoll");
		for (int i = 0; i < 2; i++)
			if (fds[i].revents & POLLIN)
				take(&flows[i]);
		if (fds[2].revents != 0) {
			if (read(0, command, sizeof command) <= 0)
				return 0;
			printf("{\"ab\":{\"carried\":%llu,\"errors\":%llu},\"ba\":{\"carried\":%llu,\"errors\":%llu}}\n",
			       (unsigned long long)flows[0].carried, (unsigned long long)flows[0].errors,
			       (unsigned long long)flows[1].carried, (unsigned long long)flows[1].errors);
		}
	}
}

int main(int argc, char **argv)
{
	if (argc == 5 && strcmp(argv[1], "link") == 0)
		return run_link(argv + 2);
	if (argc == 5 && strcmp(argv[1], "line") == 0)
		return run_line(argv + 2);
	fputs("usage: yardstick link TTY OUR PEER\n       yardstick line BAUD ERRORS SEED\n", stderr);
	return 2;
}
