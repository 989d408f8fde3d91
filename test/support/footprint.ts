// What a running server uses: its own figures from both ports, and what the system knows of its process.
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { get } from 'node:http'

export interface Served {
  url: string
  observer: string
  child: { pid?: number | undefined }
}

export interface Footprint {
  /** Live tasks of the app's loop besides the one that answers. */
  tasks: number
  /** Tasks and runs according to the observer. */
  observed: number
  runs: number
  subscribers: number
  /** Connections to clients that the server has not closed, even if the client has gone; without those of this check. */
  connections: number
  /** Open descriptors. */
  descriptors: number
  /** Bytes of memory, and those that the app's heap uses. */
  resident: number
  heap: number
}

export interface Plain {
  status: number
  body: string
}

/** One request on a separate connection that is closed after it. */
export function ask(url: string, headers: Record<string, string> = {}, ms = 60_000): Promise<Plain> {
  return new Promise((resolve, reject) => {
    const request = get(url, { agent: false, headers: { connection: 'close', ...headers } }, (response) => {
      let body = ''
      response.setEncoding('utf8').on('data', (text: string) => { body += text })
      response.on('error', reject)
      // The connection's end, not only the answer's, so that the next count does not include it.
      response.on('close', () => resolve({ status: response.statusCode ?? 0, body }))
    })
    request.setTimeout(ms, () => request.destroy(new Error(`${url} did not answer within ${ms} ms`)))
    request.on('error', reject)
  })
}

function figures({ status, body }: Plain, url: string): (name: string) => number {
  if (status !== 200) throw new Error(`${url}/metrics answered ${status}: ${body}`)
  return (name) => {
    const value = new RegExp(`^${name} (\\S+)$`, 'm').exec(body)?.[1]
    if (value === undefined) throw new Error(`${url}/metrics has no ${name}`)
    return Number(value)
  }
}

/** Checks a server. Throws if it does not answer. */
export async function footprint({ url, observer, child: { pid = 0 } }: Served): Promise<Footprint> {
  const there = figures(await ask(`${observer}/metrics`), observer)
  const here = figures(await ask(`${url}/metrics`), url)
  return {
    tasks: here('loopscope_tasks') - 1, runs: here('loopscope_runs_active'), subscribers: here('loopscope_subscribers'),
    observed: there('loopscope_tasks') + there('loopscope_runs_active') + there('loopscope_subscribers'),
    connections: openConnections(pid, [url, observer].map((address) => Number(new URL(address).port))),
    descriptors: descriptors(pid), resident: resident(pid), heap: here('process_heap_bytes'),
  }
}

/** Open descriptors of a process; NaN if the system does not report them. */
export function descriptors(pid: number): number {
  try {
    return readdirSync(`/proc/${pid}/fd`).length
  } catch {
    return NaN
  }
}

/** Bytes of memory of a process; NaN if the system does not report them. */
export function resident(pid: number): number {
  try {
    return Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) * 1024
  } catch {
    return NaN
  }
}

/**
 * Sockets of a process that lead to clients of its own ports, or that the system has closed and the process has not: all
 * except those that listen, or that have both ends in the process. NaN if the system does not report them.
 */
function openConnections(pid: number, ports: number[]): number {
  let text: string
  let held: Set<string>
  try {
    text = ['tcp', 'tcp6'].map((name) => readFileSync(`/proc/${pid}/net/${name}`, 'utf8')).join('\n')
    held = new Set(sockets(pid))
  } catch {
    return NaN
  }
  const rows = [...text.matchAll(/^\s*\d+: [0-9A-F]+:([0-9A-F]{4}) [0-9A-F]+:([0-9A-F]{4}) ([0-9A-F]{2}) (?:\S+ ){3,}?\s*\d+\s+\d+ (\d+) /gm)]
    .map(([, local = '', remote = '', state = '', inode = '']) => ({ local: parseInt(local, 16), remote: parseInt(remote, 16), listens: state === '0A', inode }))
    .filter(({ inode }) => held.has(inode))
  const ends = new Set(rows.map(({ local, remote }) => `${local} ${remote}`))
  const known = new Set(rows.map(({ inode }) => inode))
  const strangers = rows.filter(({ local, remote, listens }) => ports.includes(local) && !listens && !ends.has(`${remote} ${local}`))
  const closed = [...held].filter((inode) => !known.has(inode))
  if (closed.length === 0) return strangers.length
  const noTcp = others(pid)
  return strangers.length + closed.filter((inode) => !noTcp.has(inode)).length
}

function* sockets(pid: number): Generator<string> {
  for (const name of readdirSync(`/proc/${pid}/fd`)) {
    try {
      const inode = /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/fd/${name}`))?.[1]
      if (inode !== undefined) yield inode
    } catch { /* it was closed just now */ }
  }
}

/** Sockets that are not TCP: to other processes of the machine, for names. */
function others(pid: number): Set<string> {
  const text = ['unix', 'udp', 'udp6'].map((name) => readFileSync(`/proc/${pid}/net/${name}`, 'utf8')).join('\n')
  return new Set(text.split('\n').flatMap((line) => line.trim().split(/\s+/)))
}

/** One line of it, for people. */
export function describe({ tasks, observed, runs, subscribers, connections, descriptors, resident, heap }: Footprint): string {
  return `${tasks} tasks (${observed} observed), ${runs} runs, ${subscribers} subscribers, ${connections} connections, ${descriptors} descriptors, `
    + `${Math.round(resident / 1e6)} MB, heap ${Math.round(heap / 1e6)} MB`
}
