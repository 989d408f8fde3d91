// Finds the observer of a process by the process' number: it is at one of the ports on which that process listens. The kernel
// says which these are, so nothing is left in a file that could be stale or someone else's.
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'

/** The process cannot be looked into, and why. */
export class NotFound extends Error {
  override name = 'NotFound'
}

const LISTENS = '0A'
const MOST_PORTS = 200

/** The ports on which a process listens, by address. Throws a NotFound if they cannot be known. */
export function listeningAddresses(pid: number): string[] {
  if (process.platform !== 'linux') throw new NotFound('a process is found by its number on Linux only: give the address of its observer, --url http://127.0.0.1:8001')
  const sockets = socketsOf(pid)
  const found = new Set<string>()
  for (const table of ['tcp', 'tcp6']) {
    for (const line of readTable(pid, table)) {
      const [, local = '', , state, , , , , , inode = ''] = line.trim().split(/\s+/)
      if (state !== LISTENS || !sockets.has(inode)) continue
      const [address = '', port = ''] = local.split(':')
      found.add(`http://${hostOf(address)}:${Number.parseInt(port, 16)}`)
    }
  }
  return [...found].slice(0, MOST_PORTS)
}

function socketsOf(pid: number): Set<string> {
  const folder = `/proc/${pid}/fd`
  try {
    return new Set(readdirSync(folder).flatMap((file) => {
      try {
        return /^socket:\[(\d+)\]$/.exec(readlinkSync(`${folder}/${file}`))?.[1] ?? []
      } catch {
        return [] // closed meanwhile
      }
    }))
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT') throw new NotFound(`there is no process ${pid}`)
    if (code === 'EACCES' || code === 'EPERM') throw new NotFound(`process ${pid} belongs to another user: be that user, or give the address of its observer with --url`)
    throw error
  }
}

function readTable(pid: number, table: string): string[] {
  try {
    return readFileSync(`/proc/${pid}/net/${table}`, 'latin1').split('\n').slice(1)
  } catch {
    return [] // no IPv6, or the process has ended
  }
}

/** From the kernel's notation: words of four bytes, in the order of this machine. A wildcard is asked at this machine. */
function hostOf(hex: string): string {
  if (/^0+$/.test(hex)) return hex.length === 8 ? '127.0.0.1' : '[::1]'
  const bytes = (hex.match(/.{8}/g) ?? []).flatMap((word) => [...Buffer.from(word, 'hex')].reverse())
  if (bytes.length === 4) return bytes.join('.')
  const groups = Array.from({ length: 8 }, (_, at) => ((bytes[2 * at] as number) * 256 + (bytes[2 * at + 1] as number)).toString(16))
  return `[${groups.join(':')}]`
}

/** The numbers that a process has, in this and in inner namespaces of processes. */
export function numbersOf(pid: number): number[] {
  try {
    return /^NSpid:\s*(.*)$/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1]?.split(/\s+/).map(Number) ?? [pid]
  } catch {
    return [pid]
  }
}
