// What annotations say. They count only where nothing else is known, because Python does not check them.
import { dotted } from '../scopes.ts'
import { isNone, type Expression, type Subscript } from '../tree.ts'
import { named, Type, union } from '../types.ts'
import type { Knowledge } from './knowledge.ts'

/** The type that an annotation names; nothing if it is not understood. */
export function annotation(infer: Knowledge, node: Expression): Type {
  if (node.type === 'Constant') return isNone(node) ? new Type('none') : new Type()
  if (node.type === 'BinOp' && node.op === 'BitOr') return union(annotation(infer, node.left), annotation(infer, node.right))
  if (node.type === 'Subscript') return withArguments(infer, node)
  const name = dotted(node)
  switch (name) {
    case 'int': case 'float': case 'str': case 'bool': case 'bytes': return new Type(name)
    case 'list': return infer.list(node, new Type())
    case 'dict': return infer.dict(node, new Type(), new Type())
    case 'set': return infer.list(node, new Type(), 'set')
    case 'asyncio.Task': return infer.awaitable(node, 'task', new Type())
    case 'asyncio.Future': return infer.awaitable(node, 'future', new Type())
    case 'asyncio.Queue': return infer.queue(node, new Type(), 'Queue')
    default:
  }
  if (/^asyncio\.(Lock|Event|Semaphore|BoundedSemaphore|Condition|Barrier|TaskGroup|Timeout)$/.test(name)) return new Type(named(name.slice(8), 'object'))
  return infer.instancesOf(infer.expression(node))
}

function withArguments(infer: Knowledge, node: Subscript): Type {
  const name = dotted(node.value).replace(/^(typing|collections|asyncio|collections\.abc)\./, '')
  const args = node.slice.type === 'Tuple' ? node.slice.elts : [node.slice]
  const arg = (i: number): Type => args[i] === undefined ? new Type() : annotation(infer, args[i])
  switch (name) {
    case 'Optional': return union(arg(0), new Type('none'))
    case 'Union': return union(...args.map((_, i) => arg(i)))
    case 'list': case 'List': return infer.list(node, arg(0))
    case 'deque': case 'Deque': return infer.list(node, arg(0), 'deque')
    case 'set': case 'Set': return infer.list(node, arg(0), 'set')
    case 'dict': case 'Dict': case 'defaultdict': return infer.dict(node, arg(0), arg(1))
    case 'tuple': case 'Tuple': return infer.tuple(node, args.map((_, i) => arg(i)))
    case 'Queue': case 'PriorityQueue': case 'LifoQueue': return infer.queue(node, arg(0), name)
    case 'Task': return infer.awaitable(node, 'task', arg(0))
    case 'Future': return infer.awaitable(node, 'future', arg(0))
    case 'Awaitable': return infer.awaitable(node, 'coro', arg(0))
    default: return new Type()
  }
}

/** Fills the empty containers of `type` from an annotation. */
export function annotate(infer: Knowledge, type: Type | null, annotated: Type): void {
  if (type === null) return
  for (const atom of type.atoms) {
    for (const wanted of annotated.atoms) {
      if ('elem' in atom && 'elem' in wanted && atom.kind === wanted.kind) {
        if (atom.elem.atoms.size === 0) infer.grow(atom.elem, wanted.elem)
        else annotate(infer, atom.elem, wanted.elem)
      }
      if (atom.kind === 'dict' && wanted.kind === 'dict') {
        if (atom.key.atoms.size === 0) infer.grow(atom.key, wanted.key)
        if (atom.value.atoms.size === 0) infer.grow(atom.value, wanted.value)
      }
    }
  }
}
