// The profile of a stall: how long each line was on the stack. It is made when the stall is over, from the stacks that were
// taken while it lasted, and kept in a form that both formats are written from.
import type { FlameBox, Frame, StallShare } from '../events/schema.ts'
import type { Span } from './stack-samples.ts'

/** The most distinct stacks, and the most spans: the rest is added to the last. */
const MOST_STACKS = 512
const MOST_SPANS = 2048
/** In an event: the most shares and boxes, and the smallest part of the stall that has one. */
const MOST_SHARES = 8
const MOST_BOXES = 48
const LEAST_PART = 0.01

/** The frame of a native function, above the one that called it. */
const NATIVE: Frame = { function: '(native code)', file: '', line: 0, column: 0 }
/** The time of which no stack is known. */
const NO_STACK: Frame = { function: '(no stack)', file: '', line: 0, column: 0 }

type Place = Omit<Frame, 'column'>

const placeOf = ({ function: fn, file, line }: Frame): Place => ({ function: fn, file, line })
const keyOf = ({ function: fn, file, line }: Place): string => `${fn} ${file}:${line}`

interface Node {
  frame: Frame
  seconds: number
  readonly children: Map<string, Node>
}

export class StallProfile {
  /** Each frame once, and the stacks as indexes of frames, outermost first. */
  readonly frames: Frame[] = []
  readonly stacks: number[][] = []
  /** The index of a stack, and for how long it was seen, in the order in which it was seen. */
  readonly spans: { stack: number; seconds: number }[] = []
  readonly name: string
  readonly from: number
  readonly seconds: number
  readonly #frameIndex = new Map<string, number>()
  readonly #stackIndex = new Map<string, number>()

  /** `from` is on the loop's clock. */
  constructor(name: string, from: number, seconds: number, spans: readonly Span[]) {
    this.name = name
    this.from = from
    this.seconds = seconds
    let rest = seconds
    for (const span of spans) {
      const outermostFirst = [...span.frames].reverse()
      this.#add(span.native ? [...outermostFirst, NATIVE] : outermostFirst.length === 0 ? [NO_STACK] : outermostFirst, span.seconds)
      rest -= span.seconds
    }
    if (rest > 1e-6) this.#add([NO_STACK], rest)
  }

  /** About how many bytes it takes. */
  get bytes(): number {
    return 40 * this.spans.length + this.stacks.reduce((sum, stack) => sum + 8 * stack.length + 40, 0) +
      this.frames.reduce((sum, { function: fn, file }) => sum + 80 + fn.length + file.length, 0)
  }

  /** The lines that were innermost for longest. */
  shares(): StallShare[] {
    const shares = new Map<string, StallShare>()
    for (const { stack, seconds } of this.spans) {
      const frames = (this.stacks[stack] as number[]).map((index) => this.frames[index] as Frame)
      const native = frames.at(-1) === NATIVE
      const frame = native ? frames.at(-2) ?? NATIVE : frames.at(-1) as Frame
      if (frame === NO_STACK) continue
      const key = `${keyOf(frame)} ${native}`
      const known = shares.get(key)
      if (known === undefined) shares.set(key, { ...placeOf(frame), seconds, ...(native ? { native } : {}) })
      else known.seconds += seconds
    }
    return this.#most([...shares.values()], MOST_SHARES)
  }

  /** The boxes of a flame graph: each is followed by those that it called. */
  flame(): FlameBox[] {
    const root: Node = { frame: NO_STACK, seconds: 0, children: new Map() }
    for (const { stack, seconds } of this.spans) {
      let node = root
      for (const index of this.stacks[stack] as number[]) {
        const frame = this.frames[index] as Frame
        const key = keyOf(frame)
        const child: Node = node.children.get(key) ?? { frame, seconds: 0, children: new Map() }
        node.children.set(key, child)
        child.seconds += seconds
        node = child
      }
    }
    // The largest boxes are kept: each is at least as large as what it called.
    const all: { box: FlameBox; order: number }[] = []
    const visit = ({ children }: Node, depth: number): void => {
      for (const child of [...children.values()].sort((a, b) => b.seconds - a.seconds)) {
        all.push({ box: { ...placeOf(child.frame), depth, seconds: child.seconds }, order: all.length })
        visit(child, depth + 1)
      }
    }
    visit(root, 0)
    return all.filter(({ box }) => box.seconds >= LEAST_PART * this.seconds).sort((a, b) => b.box.seconds - a.box.seconds || a.order - b.order).slice(0, MOST_BOXES)
      .sort((a, b) => a.order - b.order).map(({ box }) => ({ ...box, seconds: rounded(box.seconds) }))
  }

  /** The format of speedscope.app: https://www.speedscope.app/file-format-schema.json */
  speedscope(): string {
    return JSON.stringify({
      $schema: 'https://www.speedscope.app/file-format-schema.json', exporter: 'loopscope', name: this.name, activeProfileIndex: 0,
      shared: { frames: this.frames.map(({ function: name, file, line, column }) => (file === '' ? { name } : { name, file, line, col: column })) },
      profiles: [{
        type: 'sampled', name: this.name, unit: 'seconds', startValue: 0, endValue: rounded(this.seconds),
        samples: this.spans.map(({ stack }) => this.stacks[stack]), weights: this.spans.map(({ seconds }) => rounded(seconds)),
      }],
    })
  }

  /** V8's format, for Chrome's developer tools and editors. Its lines and columns count from 0, and its times are in µs. */
  cpuprofile(): string {
    type CpuNode = { id: number; callFrame: object; hitCount: number; children: number[] }
    const nodes: CpuNode[] = [{ id: 1, callFrame: { functionName: '(root)', scriptId: '0', url: '', lineNumber: -1, columnNumber: -1 }, hitCount: 0, children: [] }]
    const known = new Map<string, CpuNode>()
    const leaves = this.stacks.map((stack) => stack.reduce((parent, index) => {
      const key = `${parent.id} ${index}`
      const found = known.get(key)
      if (found !== undefined) return found
      const { function: functionName, file: url, line, column } = this.frames[index] as Frame
      const node: CpuNode = { id: nodes.length + 1, callFrame: { functionName, scriptId: '0', url, lineNumber: line - 1, columnNumber: column - 1 }, hitCount: 0, children: [] }
      known.set(key, node)
      nodes.push(node)
      parent.children.push(node.id)
      return node
    }, nodes[0] as CpuNode))
    const startTime = Math.round(this.from * 1e6)
    for (const { stack } of this.spans) (leaves[stack] as CpuNode).hitCount++
    // A delta is the time before its sample.
    const deltas = this.spans.map(({ seconds }) => Math.round(seconds * 1e6))
    const ids = this.spans.map(({ stack }) => (leaves[stack] as CpuNode).id)
    return JSON.stringify({
      nodes, startTime, endTime: startTime + Math.round(this.seconds * 1e6), samples: [...ids, 1], timeDeltas: [0, ...deltas],
    })
  }

  #add(stack: readonly Frame[], seconds: number): void {
    const index = this.#indexOf(stack)
    const last = this.spans.at(-1)
    if (last !== undefined && (last.stack === index || this.spans.length >= MOST_SPANS)) last.seconds += seconds
    else this.spans.push({ stack: index, seconds })
  }

  #indexOf(stack: readonly Frame[]): number {
    const keys = stack.map((frame) => `${keyOf(frame)}:${frame.column}`)
    const key = keys.join('\n')
    const known = this.#stackIndex.get(key)
    if (known !== undefined) return known
    if (this.stacks.length >= MOST_STACKS) return this.stacks.length - 1
    const index = this.stacks.push(stack.map((frame, at) => this.#frameOf(keys[at] as string, frame))) - 1
    this.#stackIndex.set(key, index)
    return index
  }

  #frameOf(key: string, frame: Frame): number {
    const index = this.#frameIndex.get(key) ?? this.frames.push(frame) - 1
    this.#frameIndex.set(key, index)
    return index
  }

  #most(shares: StallShare[], most: number): StallShare[] {
    return shares.filter(({ seconds }) => seconds >= LEAST_PART * this.seconds).sort((a, b) => b.seconds - a.seconds).slice(0, most)
      .map((share) => ({ ...share, seconds: rounded(share.seconds) }))
  }
}

function rounded(seconds: number): number {
  return Math.round(seconds * 1e6) / 1e6
}
