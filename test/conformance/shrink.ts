// Makes a failing program small: drops and unwraps what it can while the failure remains, largest pieces first.
import { blocksOf, everyExpression, everyStatement, expressionsOf, inside, statementsOf } from './tree.ts'
import type { Expression, Program, Statement } from './tree.ts'

type Edit = (program: Program) => void

function allBlocks(program: Program): Statement[][] {
  const blocks: Statement[][] = []
  const enter = (block: Statement[]): void => {
    blocks.push(block)
    for (const statement of block) blocksOf(statement).forEach(enter)
  }
  for (const { body } of [...program.coroutines, ...program.callbacks]) enter(body)
  return blocks
}

function dropping(program: Program, size: number): Edit[] {
  return allBlocks(program).flatMap((block, k) => {
    const edits: Edit[] = []
    for (let from = 0; from < block.length; from += size) {
      if (size === 1 || block.length > size) edits.push((copy) => allBlocks(copy)[k]?.splice(from, size))
      else if (from === 0 && block.length > size / 2) edits.push((copy) => allBlocks(copy)[k]?.splice(0))
    }
    return edits
  })
}

/** Replaces a compound statement by its content, and takes `try` apart clause by clause. */
function unwrapping(program: Program): Edit[] {
  return allBlocks(program).flatMap((block, k) => block.flatMap((statement, at) => {
    const edit = (change: (statement: Statement, block: Statement[]) => void): Edit => (copy) => {
      const there = allBlocks(copy)[k]
      const same = there?.[at]
      if (there !== undefined && same !== undefined) change(same, there)
    }
    const edits: Edit[] = []
    if (statement.type !== 'each') {
      blocksOf(statement).forEach((_, i) => edits.push(edit((same, there) => there.splice(at, 1, ...blocksOf(same)[i] ?? []))))
    }
    if (statement.type === 'try') {
      const clauses = statement.handlers.length + (statement.last === null ? 0 : 1)
      statement.handlers.forEach(({ reraise }, i) => {
        if (clauses > 1) edits.push(edit((same) => same.type === 'try' && same.handlers.splice(i, 1)))
        if (reraise) edits.push(edit((same) => same.type === 'try' && same.handlers[i] !== undefined && (same.handlers[i].reraise = false)))
      })
      if (statement.last !== null && clauses > 1) edits.push(edit((same) => same.type === 'try' && (same.last = null)))
    }
    if (statement.type === 'generate' && statement.parts.length > 1) {
      statement.parts.forEach((_, i) => edits.push(edit((same) => same.type === 'generate' && same.parts.splice(i, 1))))
    }
    if (statement.type === 'repeat' && statement.times > 1) edits.push(edit((same) => same.type === 'repeat' && same.times--))
    return edits
  }))
}

/** Replaces an awaited coroutine by its body; a `return` in it would end too much. */
function inlining(program: Program): Edit[] {
  return allBlocks(program).flatMap((block, k) => block.flatMap((statement, at): Edit[] => {
    if (statement.type !== 'do' || statement.value.type !== 'await' || statement.value.of.type !== 'coroutine') return []
    const { name } = statement.value.of
    const { body } = program.coroutines.find((routine) => routine.name === name) ?? {}
    if (body === undefined || [...everyStatement(body)].some(({ type }) => type === 'return')) return []
    return [(copy) => allBlocks(copy)[k]?.splice(at, 1, ...structuredClone(body))]
  }))
}

/** Awaits a coroutine where it was made a task. */
function joining(program: Program): Edit[] {
  const inCoroutines = allBlocks({ ...program, callbacks: [] })
  return inCoroutines.flatMap((block, k) => block.flatMap((statement, at): Edit[] => {
    const tasks = expressionsOf(statement).flatMap((one) => [...everyExpression(one)])
      .flatMap((one) => (one.type === 'call' || one.type === 'method') && one.name === 'createTask' ? one.args : [])
    const [of] = tasks
    return of?.type === 'coroutine' ? [(copy) => allBlocks(copy)[k]?.splice(at, 1, { type: 'do', label: statement.label, value: { type: 'await', of } })] : []
  }))
}

/** Every variant of this expression with one part made simpler. */
function* simpler(tree: Expression): Generator<Expression> {
  if (tree.type === 'literal' && typeof tree.value === 'number' && tree.value !== 0 && tree.value !== 1) yield { ...tree, value: 1 }
  if (tree.type === 'call' && ['waitFor', 'shield'].includes(tree.name) && tree.args[0] !== undefined) yield tree.args[0]
  if (tree.type === 'method' && tree.name === 'cancel' && tree.args.length > 0) yield { ...tree, args: [] }
  if (tree.type === 'call' && tree.name === 'sleep' && tree.args.length > 1) yield { ...tree, args: tree.args.slice(0, 1) }
  if (tree.type === 'call' || tree.type === 'method' || tree.type === 'construct') {
    for (const gone of Object.keys(tree.options)) {
      yield { ...tree, options: Object.fromEntries(Object.entries(tree.options).filter(([name]) => name !== gone)) }
    }
  }
  if (tree.type === 'list' && tree.items.length > 1) {
    for (let i = 0; i < tree.items.length; i++) yield { ...tree, items: tree.items.filter((_, at) => at !== i) }
  }
  const parts = inside(tree)
  for (let i = 0; i < parts.length; i++) {
    for (const part of simpler(parts[i] as Expression)) yield withPart(tree, i, part)
  }
}

/** The same expression with one of its direct parts, counted as `inside` does, replaced. */
function withPart(tree: Expression, index: number, part: Expression): Expression {
  const swap = (parts: Expression[], from = 0): Expression[] => parts.map((old, i) => i + from === index ? part : old)
  const swapIn = (options: Record<string, Expression>, from: number): Record<string, Expression> =>
    Object.fromEntries(Object.entries(options).map(([name, old], i) => [name, i + from === index ? part : old]))
  switch (tree.type) {
    case 'list': case 'tuple': return { ...tree, items: swap(tree.items) }
    case 'call': case 'construct': return { ...tree, args: swap(tree.args), options: swapIn(tree.options, tree.args.length) }
    case 'method':
      return { ...tree, on: index === 0 ? part : tree.on, args: swap(tree.args, 1), options: swapIn(tree.options, tree.args.length + 1) }
    case 'property': return { ...tree, on: part }
    case 'await': case 'thunk': return { ...tree, of: part }
    case 'support': return { ...tree, args: swap(tree.args) }
    default: return tree
  }
}

function simplifying(program: Program): Edit[] {
  return [...statementsOf(program)].flatMap((statement, k) => {
    const [expression] = expressionsOf(statement)
    if (expression === undefined) return []
    return [...simpler(expression)].map((better): Edit => (copy) => {
      const same = [...statementsOf(copy)][k]
      if (same?.type === 'if') same.test = better
      else if (same?.type === 'raise') same.error = better
      else if (same !== undefined && 'value' in same) same.value = better
    })
  })
}

/** Drops the variables and routines that are not used. */
function swept(program: Program): Program {
  for (;;) {
    const used = new Set<string>()
    const expressions = [...statementsOf(program)].flatMap(expressionsOf)
    for (const { initial } of program.variables) if (initial !== null) expressions.push(initial)
    for (const one of expressions.flatMap((expression) => [...everyExpression(expression)])) if ('name' in one) used.add(one.name)
    for (const statement of statementsOf(program)) {
      if (statement.type === 'assign') used.add(statement.name)
      if (statement.type === 'scope' && statement.as !== null) used.add(statement.as)
    }
    const [main, ...others] = program.coroutines
    const smaller: Program = {
      variables: program.variables.filter(({ name }) => used.has(name)),
      coroutines: [...(main === undefined ? [] : [main]), ...others.filter(({ name }) => used.has(name))],
      callbacks: program.callbacks.filter(({ name }) => used.has(name)),
    }
    if (size(smaller) === size(program)) return smaller
    program = smaller
  }
}

export const size = (program: Program): number =>
  program.variables.length + program.coroutines.length + program.callbacks.length + [...statementsOf(program)].length

/**
 * Shrinks a program as long as `fails` is true for the result, trying at most `attempts` programs. Each try is a new tree;
 * the one passed in does not change.
 */
export async function shrink(program: Program, fails: (program: Program) => Promise<boolean>, attempts = 1500): Promise<Program> {
  let best = program
  const improve = async (edits: (program: Program) => Edit[]): Promise<boolean> => {
    let improved = false
    for (let i = 0, all = edits(best); i < all.length && attempts > 0;) {
      const copy = structuredClone(best)
      all[i]?.(copy)
      attempts--
      if (await fails(copy)) {
        best = copy
        improved = true
        all = edits(best)
      } else {
        i++
      }
    }
    return improved
  }
  for (let again = true; again && attempts > 0;) {
    again = false
    for (const size of [8, 4, 2, 1]) again = await improve((now) => dropping(now, size)) || again
    again = await improve(unwrapping) || again
    again = await improve(joining) || again
    again = await improve(inlining) || again
    again = await improve(simplifying) || again
    const clean = swept(structuredClone(best))
    if (size(clean) < size(best) && await fails(clean)) {
      best = clean
      again = true
    }
  }
  return best
}
