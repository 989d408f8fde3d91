// Which task awaits which, and which owns a lock, at a moment: tasks, locks and queues as a graph with a place for each, its cycles, and
// its sentences. A task waits for one thing at a time, and a lock has one owner, so each has at most one arrow out.
import type { Recording } from '../recording.ts'
import { isOverdue, waitLabel } from './explain.ts'
import { THREAD, WAITING, type Lane, type Position, type Span } from './track.ts'

export interface GraphNode {
  readonly id: string
  readonly kind: 'task' | 'thread' | 'lock' | 'queue'
  readonly name: string
  /** null for a lock or a queue. */
  readonly lane: Lane | null
  readonly span: Span | null
  /** Its place: columns go from those that wait, on the left, to what they wait for. */
  column: number
  row: number
  cycle: boolean
}

export interface GraphEdge {
  readonly from: GraphNode
  readonly to: GraphNode
  readonly what: 'awaits' | 'waits for' | 'is owned by' | 'runs in'
  /** Of a gather: how many are awaited. */
  readonly label: string
  /** The wait ends by itself. */
  readonly deadline: boolean
  cycle: boolean
}

export interface AwaitGraph {
  readonly nodes: GraphNode[]
  readonly edges: GraphEdge[]
  /** Each in its order; the last awaits the first. */
  readonly cycles: GraphNode[][]
  /** Nodes that are left out. */
  readonly more: number
  /** Tasks that are alive and wait for nothing that has a place in the graph. */
  readonly apart: number
}

const LOCKS = new Set(['lock', 'semaphore', 'condition', 'event', 'barrier'])

interface Asked {
  recording: Recording
  position: Position
  time: number
  /** Which tasks it begins with; what they wait for is there in any case. */
  passes?: (lane: Lane) => boolean
  /** It is there, with what it waits for, before all others. */
  selected?: number | null
  /** The most nodes. */
  most?: number
}

export function awaitGraph({ recording, position, time, passes = () => true, selected = null, most = 40 }: Asked): AwaitGraph {
  const all = new Map<string, GraphNode>()
  const out = new Map<GraphNode, GraphEdge>()
  const node = (id: string, kind: GraphNode['kind'], name: string, lane: Lane | null = null): GraphNode => {
    let found = all.get(id)
    if (found === undefined) all.set(id, found = { id, kind, name, lane, span: lane?.at(position) ?? null, column: 0, row: 0, cycle: false })
    return found
  }
  const taskNode = (lane: Lane): GraphNode => node(`task ${lane.id}`, lane.kind, lane.name, lane)
  const join = (from: GraphNode, to: GraphNode, what: GraphEdge['what'], label = '', deadline = false): void => {
    if (!out.has(from)) out.set(from, { from, to, what, label, deadline, cycle: false })
  }
  let alive = 0
  for (const lane of recording.lanes.values()) {
    if (lane.kind !== 'task' || !passes(lane)) continue
    const span = lane.at(position)
    if (span === null) continue
    alive++
    const on = span.info?.on
    if (span.state === THREAD) {
      for (const child of lane.children) if (child.kind === 'thread' && child.at(position) !== null) join(taskNode(lane), taskNode(child), 'runs in')
    }
    if (span.state !== WAITING || on === undefined || isOverdue(span, time)) continue
    const deadline = on.deadline !== undefined || on.timeout !== undefined
    if (on.queue !== undefined) join(taskNode(lane), node(`queue ${on.queue}`, 'queue', `queue ${on.queue}`), 'waits for', on.kind.replace('queue.', ''), deadline)
    else if (LOCKS.has(on.kind) && on.label !== undefined) {
      const lock = node(`lock ${on.label}`, 'lock', on.label)
      join(taskNode(lane), lock, 'waits for', '', deadline)
      const holder = recording.locks.all.get(on.label)?.at(position)?.holder
      const owner = holder == null ? undefined : recording.lanes.get(holder)
      if (owner !== undefined && owner.at(position) !== null) join(lock, taskNode(owner), 'is owned by')
    } else if (on.task !== undefined) {
      const target = recording.lanes.get(on.task)
      if (target !== undefined) join(taskNode(lane), taskNode(target), 'awaits', on.kind === 'gather' ? waitLabel(on, recording) : '', deadline)
    }
  }
  const tasks = [...all.values()].filter(({ kind }) => kind === 'task').length
  const cycles = cyclesOf(all.values(), out)
  const shown = choose([...all.values()], out, selected === null ? undefined : all.get(`task ${selected}`), most)
  const edges = [...out.values()].filter(({ from, to }) => shown.has(from) && shown.has(to))
  place(shown, out)
  return { nodes: [...shown], edges, cycles, more: all.size - shown.size, apart: Math.max(0, alive - tasks) }
}

/** Follows the arrows from each node; where a path comes back to itself, that is a cycle. */
function cyclesOf(nodes: Iterable<GraphNode>, out: ReadonlyMap<GraphNode, GraphEdge>): GraphNode[][] {
  const cycles: GraphNode[][] = []
  const done = new Set<GraphNode>()
  for (const start of nodes) {
    const path: GraphNode[] = []
    const onPath = new Set<GraphNode>()
    let at: GraphNode | undefined = start
    while (at !== undefined && !done.has(at) && !onPath.has(at)) {
      path.push(at)
      onPath.add(at)
      at = out.get(at)?.to
    }
    if (at !== undefined && onPath.has(at)) {
      const cycle = path.slice(path.indexOf(at))
      for (const one of cycle) {
        one.cycle = true
        const edge = out.get(one)
        if (edge !== undefined) edge.cycle = true
      }
      cycles.push(cycle)
    }
    for (const one of path) done.add(one)
  }
  return cycles
}

/** Cycles first, then what is selected, then what most wait for, each with the way from it. */
function choose(all: readonly GraphNode[], out: ReadonlyMap<GraphNode, GraphEdge>, selected: GraphNode | undefined, most: number): Set<GraphNode> {
  const waiting = new Map<GraphNode, number>()
  for (const { to } of out.values()) waiting.set(to, (waiting.get(to) ?? 0) + 1)
  const chosen = new Set<GraphNode>()
  const add = (from: GraphNode | undefined): void => {
    for (let at = from; at !== undefined && chosen.size < most && !chosen.has(at); at = out.get(at)?.to) chosen.add(at)
  }
  for (const one of all) if (one.cycle) add(one)
  add(selected)
  for (const one of [...all].sort((a, b) => (waiting.get(b) ?? 0) - (waiting.get(a) ?? 0))) add(one)
  return chosen
}

/** Gives each a column by the length of its way, and a row near what it waits for. */
function place(shown: ReadonlySet<GraphNode>, out: ReadonlyMap<GraphNode, GraphEdge>): void {
  const next = (of: GraphNode): GraphNode | undefined => {
    const to = out.get(of)?.to
    return to !== undefined && shown.has(to) ? to : undefined
  }
  const depths = new Map<GraphNode, number>()
  for (const start of shown) {
    const path: GraphNode[] = []
    const onPath = new Set<GraphNode>()
    let at: GraphNode | undefined = start
    while (at !== undefined && !depths.has(at) && !onPath.has(at)) {
      path.push(at)
      onPath.add(at)
      at = next(at)
    }
    // A cycle is opened where the path came back.
    let depth = at === undefined || onPath.has(at) ? -1 : depths.get(at) as number
    for (const one of path.reverse()) depths.set(one, ++depth)
  }
  const deepest = Math.max(0, ...depths.values())
  const columns: GraphNode[][] = []
  for (const [one, depth] of depths) {
    one.column = deepest - depth
    ;(columns[depth] ??= []).push(one)
  }
  for (const column of columns) {
    const rowOf = (one: GraphNode): number => {
      const to = next(one)
      return to === undefined || to.column <= one.column ? 0 : to.row
    }
    let free = 0
    for (const one of (column ?? []).sort((a, b) => rowOf(a) - rowOf(b))) {
      one.row = Math.max(free, rowOf(one))
      free = one.row + 1
    }
  }
}

/** A cycle as a sentence. */
export function cycleInWords(cycle: readonly GraphNode[], edges: readonly GraphEdge[]): string {
  const names = [...cycle, cycle[0]].map((one) => one?.name ?? '').join(' → ')
  const ends = edges.some(({ cycle: inCycle, deadline, from }) => inCycle && deadline && cycle.includes(from))
  return ends ? `A cycle of awaits, which a timeout ends: ${names}.` : `A deadlock (cycle of awaits): ${names}. None of these tasks can wake another.`
}

/** An arrow as a sentence, without its beginning. */
export function edgeInWords({ what, label, to }: GraphEdge): string {
  switch (what) {
    case 'runs in': return `waits for a worker thread to run ${to.name}`
    case 'is owned by': return `is owned by ${to.name}`
    case 'awaits': return label === '' ? `awaits ${to.name}` : `awaits ${to.name} (${label})`
    default: return label === '' || label === 'get' ? `waits for ${to.name}${label === 'get' ? ', which is empty' : ''}` : label === 'put' ? `waits for ${to.name}, which is full` : `waits until all of ${to.name} is done`
  }
}
