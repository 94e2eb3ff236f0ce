// Times of files: 100 ns since 1601 (NT), seconds since 1970 in local time (LAN Manager), date and time of day (DOS).

/** Seconds from 1601 to 1970. */
const NT_EPOCH = 11_644_473_600;
const TICKS = 10_000_000;
const DAY = 86_400;
/** 1980-01-01 and 2107-12-31 23:59:58. */
const DOS_FIRST = 315_532_800;
const DOS_LAST = 4_354_819_198;

type ZoneAt = (seconds: number) => number;

export function ntTime(seconds: number): number {
  return Math.max(0, (Math.floor(seconds) + NT_EPOCH) * TICKS);
}

/** Undefined: 0 and -1 leave the time as it is. */
export function secondsOfNtTime(ticks: number): number | undefined {
  return ticks === 0 || ticks >= 2 ** 63 ? undefined : Math.floor(ticks / TICKS) - NT_EPOCH;
}

/** Seconds since 1970 as if local time were UTC. */
export function localSeconds(seconds: number, zoneAt: ZoneAt): number {
  return Math.min(0xffff_fffe, Math.max(0, Math.floor(seconds) + zoneAt(seconds)));
}

/** Undefined: 0 and -1 leave the time as it is. */
export function secondsOfLocal(local: number, zoneAt: ZoneAt): number | undefined {
  return local === 0 || local === 0xffff_ffff ? undefined : local - zoneAt(local - zoneAt(local));
}

/** The date and the time of day. */
export function dosTime(seconds: number, zoneAt: ZoneAt): readonly [date: number, time: number] {
  const local = Math.min(DOS_LAST, Math.max(DOS_FIRST, Math.floor(seconds) + zoneAt(seconds)));
  const date = new DosDate(Math.floor(local / DAY));
  const time = local % DAY;
  const hours = Math.floor(time / 3600);
  return [date.word, (hours << 11) | (Math.floor((time % 3600) / 60) << 5) | ((time % 60) >> 1)];
}

/** Undefined: there is no date. */
export function secondsOfDos(date: number, time: number, zoneAt: ZoneAt): number | undefined {
  if (date === 0 || date === 0xffff) return undefined;
  const days = dayNumber(1980 + (date >> 9), (date >> 5) & 15 || 1, date & 31 || 1);
  const local = days * DAY + (time >> 11) * 3600 + ((time >> 5) & 63) * 60 + (time & 31) * 2;
  return local - zoneAt(local - zoneAt(local));
}

/** The day's number since 1970. Years begin in March here, so that the day of a leap year is the last one. */
function dayNumber(year: number, month: number, day: number): number {
  const shifted = month <= 2 ? year - 1 : year;
  const dayOfYear = Math.floor((153 * ((month + 9) % 12) + 2) / 5) + day - 1;
  return (
    365 * shifted +
    Math.floor(shifted / 4) -
    Math.floor(shifted / 100) +
    Math.floor(shifted / 400) +
    dayOfYear -
    719_468
  );
}

class DosDate {
  readonly word: number;

  constructor(days: number) {
    let year = 1980;
    while (dayNumber(year + 1, 1, 1) <= days) year++;
    let month = 1;
    while (month < 12 && dayNumber(year, month + 1, 1) <= days) month++;
    this.word = ((year - 1980) << 9) | (month << 5) | (days - dayNumber(year, month, 1) + 1);
  }
}
