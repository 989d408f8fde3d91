// Names of the system calls in which a thread of Node sleeps, by their numbers on Linux.

const X64: Record<number, string> = {
  0: 'read', 1: 'write', 7: 'poll', 8: 'lseek', 16: 'ioctl', 17: 'pread64', 18: 'pwrite64', 19: 'readv', 20: 'writev', 35: 'nanosleep', 42: 'connect', 43: 'accept',
  44: 'sendto', 45: 'recvfrom', 46: 'sendmsg', 47: 'recvmsg', 61: 'wait4', 72: 'fcntl', 73: 'flock', 74: 'fsync', 75: 'fdatasync', 202: 'futex', 230: 'clock_nanosleep',
  232: 'epoll_wait', 247: 'waitid', 257: 'openat', 262: 'newfstatat', 271: 'ppoll', 281: 'epoll_pwait', 295: 'preadv', 296: 'pwritev', 332: 'statx', 426: 'io_uring_enter',
}
const ARM64: Record<number, string> = {
  22: 'epoll_pwait', 25: 'fcntl', 29: 'ioctl', 32: 'flock', 56: 'openat', 62: 'lseek', 63: 'read', 64: 'write', 65: 'readv', 66: 'writev', 67: 'pread64', 68: 'pwrite64',
  69: 'preadv', 70: 'pwritev', 73: 'ppoll', 79: 'newfstatat', 82: 'fsync', 83: 'fdatasync', 95: 'waitid', 98: 'futex', 101: 'nanosleep', 115: 'clock_nanosleep',
  202: 'accept', 203: 'connect', 206: 'sendto', 207: 'recvfrom', 211: 'sendmsg', 212: 'recvmsg', 260: 'wait4', 291: 'statx', 426: 'io_uring_enter',
}
const NAMES = ({ x64: X64, arm64: ARM64 } as Partial<Record<string, Record<number, string>>>)[process.arch] ?? {}

/** The name of the call in a text of `/proc/TID/syscall`; '' if the thread is in none, or that may not be read. */
export function callName(text: string): string {
  const number = /^\d+/.exec(text)?.[0]
  return number === undefined ? '' : NAMES[Number(number)] ?? `system call ${number}`
}
