// Why a request fails: the codes of NT (MS-CIFS §2.2.2.4), and those of DOS for clients that know no others.

import type { Trouble } from "../folder.ts";

export const Status = {
  OK: 0,
  INVALID_SMB: 0x00010002,
  SMB_BAD_TID: 0x00050002,
  SMB_BAD_COMMAND: 0x00160002,
  SMB_BAD_UID: 0x005b0002,
  BUFFER_OVERFLOW: 0x80000005,
  NO_MORE_FILES: 0x80000006,
  INVALID_HANDLE: 0xc0000008,
  INVALID_PARAMETER: 0xc000000d,
  NO_SUCH_FILE: 0xc000000f,
  INVALID_DEVICE_REQUEST: 0xc0000010,
  ACCESS_DENIED: 0xc0000022,
  OBJECT_NAME_INVALID: 0xc0000033,
  OBJECT_NAME_NOT_FOUND: 0xc0000034,
  OBJECT_NAME_COLLISION: 0xc0000035,
  OBJECT_PATH_NOT_FOUND: 0xc000003a,
  SHARING_VIOLATION: 0xc0000043,
  EAS_NOT_SUPPORTED: 0xc000004f,
  FILE_LOCK_CONFLICT: 0xc0000054,
  LOCK_NOT_GRANTED: 0xc0000055,
  LOGON_FAILURE: 0xc000006d,
  RANGE_NOT_LOCKED: 0xc000007e,
  DISK_FULL: 0xc000007f,
  INSUFFICIENT_RESOURCES: 0xc000009a,
  FILE_IS_A_DIRECTORY: 0xc00000ba,
  NOT_SUPPORTED: 0xc00000bb,
  BAD_DEVICE_TYPE: 0xc00000cb,
  BAD_NETWORK_NAME: 0xc00000cc,
  NOT_SAME_DEVICE: 0xc00000d4,
  UNEXPECTED_IO_ERROR: 0xc00000e9,
  DIRECTORY_NOT_EMPTY: 0xc0000101,
  NOT_A_DIRECTORY: 0xc0000103,
  TOO_MANY_OPENED_FILES: 0xc000011f,
  INVALID_LEVEL: 0xc0000148,
} as const;
export type Status = (typeof Status)[keyof typeof Status];

const ERRDOS = 1;
const ERRSRV = 2;
const ERRHRD = 3;

/** The class and the code of DOS. */
const OF_DOS: Readonly<Record<Status, readonly [kind: number, code: number]>> = {
  [Status.OK]: [0, 0],
  [Status.INVALID_SMB]: [ERRSRV, 1],
  [Status.SMB_BAD_TID]: [ERRSRV, 5],
  [Status.SMB_BAD_COMMAND]: [ERRSRV, 22],
  [Status.SMB_BAD_UID]: [ERRSRV, 91],
  [Status.BUFFER_OVERFLOW]: [ERRDOS, 234],
  [Status.NO_MORE_FILES]: [ERRDOS, 18],
  [Status.INVALID_HANDLE]: [ERRDOS, 6],
  [Status.INVALID_PARAMETER]: [ERRDOS, 87],
  [Status.NO_SUCH_FILE]: [ERRDOS, 2],
  [Status.INVALID_DEVICE_REQUEST]: [ERRDOS, 1],
  [Status.ACCESS_DENIED]: [ERRDOS, 5],
  [Status.OBJECT_NAME_INVALID]: [ERRDOS, 123],
  [Status.OBJECT_NAME_NOT_FOUND]: [ERRDOS, 2],
  [Status.OBJECT_NAME_COLLISION]: [ERRDOS, 80],
  [Status.OBJECT_PATH_NOT_FOUND]: [ERRDOS, 3],
  [Status.SHARING_VIOLATION]: [ERRDOS, 32],
  [Status.EAS_NOT_SUPPORTED]: [ERRDOS, 282],
  [Status.FILE_LOCK_CONFLICT]: [ERRDOS, 33],
  [Status.LOCK_NOT_GRANTED]: [ERRDOS, 33],
  [Status.LOGON_FAILURE]: [ERRSRV, 2],
  [Status.RANGE_NOT_LOCKED]: [ERRDOS, 158],
  [Status.DISK_FULL]: [ERRDOS, 112],
  [Status.INSUFFICIENT_RESOURCES]: [ERRDOS, 8],
  [Status.FILE_IS_A_DIRECTORY]: [ERRDOS, 5],
  [Status.NOT_SUPPORTED]: [ERRDOS, 50],
  [Status.BAD_DEVICE_TYPE]: [ERRSRV, 7],
  [Status.BAD_NETWORK_NAME]: [ERRSRV, 6],
  [Status.NOT_SAME_DEVICE]: [ERRDOS, 17],
  [Status.UNEXPECTED_IO_ERROR]: [ERRHRD, 31],
  [Status.DIRECTORY_NOT_EMPTY]: [ERRDOS, 145],
  [Status.NOT_A_DIRECTORY]: [ERRDOS, 3],
  [Status.TOO_MANY_OPENED_FILES]: [ERRDOS, 4],
  [Status.INVALID_LEVEL]: [ERRDOS, 124],
};

/** The four octets of a header that tell a client of DOS: class, 0, and the code. */
export function dosStatus(status: Status): number {
  const [kind, code] = OF_DOS[status];
  return kind + code * 2 ** 16;
}

const OF_TROUBLE: Readonly<Record<Trouble, Status>> = {
  absent: Status.OBJECT_NAME_NOT_FOUND,
  denied: Status.ACCESS_DENIED,
  exists: Status.OBJECT_NAME_COLLISION,
  "is-folder": Status.FILE_IS_A_DIRECTORY,
  "is-file": Status.NOT_A_DIRECTORY,
  "not-empty": Status.DIRECTORY_NOT_EMPTY,
  "other-disk": Status.NOT_SAME_DEVICE,
  full: Status.DISK_FULL,
  "bad-name": Status.OBJECT_NAME_INVALID,
  failed: Status.UNEXPECTED_IO_ERROR,
};

export function statusOf(trouble: Trouble): Status {
  return OF_TROUBLE[trouble];
}
