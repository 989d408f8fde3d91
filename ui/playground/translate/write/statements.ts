// Statements in TypeScript: blocks with their gaps and comments, and the statements that need no file of their own.
import { blocksOf, isDocstring, isMainGuard, type Delete, type Expression, type If, type Module, type Return, type Statement } from '../tree.ts'
import { returnsValue } from '../flow.ts'
import { annotated, assign, augmented } from './assignments.ts'
import { writeClass } from './classes.ts'
import { raise, writeTry } from './exceptions.ts'
import { contextBody, writeFunction } from './functions.ts'
import { asyncFor, forLoop, jump, whileLoop } from './loops.ts'
import { StatementWriter } from './statement-writer.ts'
import { pattern } from './targets.ts'
import { asString } from './value-text.ts'
import { writeWith } from './with-statements.ts'

export class Statements extends StatementWriter {
  module(tree: Module): void {
    this.declareFirst(this.w.program.module)
    this.block(tree.body)
    this.commentsBefore(Infinity)
  }

  block(body: readonly Statement[]): void {
    let end: number | null = null
    for (const [i, statement] of body.entries()) {
      if (i === 0 && isDocstring(statement)) {
        end = statement.endLine
        continue
      }
      const line = firstLine(statement)
      const before = this.lines.length
      if (end !== null && (this.commentBetween(end, line) ?? line) - end > 1 && before > 0 && this.lines.at(-1)?.text !== '') this.put('')
      const gap = this.lines.length
      this.from = line
      this.commentsBefore(line)
      this.lastInBlock = i === body.length - 1 ? statement : null
      this.#statement(statement)
      // Nothing was written, an import for instance.
      if (this.lines.length === gap && gap > before) this.lines.pop()
      end = statement.endLine
    }
  }

  #statement(statement: Statement): void {
    this.declareBefore(statement)
    const at = this.lines.length
    const outer = this.w.before
    this.w.before = []
    this.#write(statement)
    const { before } = this.w
    this.w.before = outer
    if (before.length > 0 && statement.type === 'While') this.w.problem(statement, 'a comprehension that awaits, in the test of a loop')
    for (const [i, text] of before.entries()) this.insert(at + i, text, statement.line)
    if (blocksOf(statement).length === 0 && !('decorator_list' in statement)) this.commentBehind(statement.endLine)
  }

  #write(statement: Statement): void {
    switch (statement.type) {
      case 'FunctionDef': case 'AsyncFunctionDef': writeFunction(this, statement); return
      case 'ClassDef': writeClass(this, statement); return
      case 'Return': this.#return(statement); return
      case 'Assign': assign(this, statement); return
      case 'AnnAssign': annotated(this, statement); return
      case 'AugAssign': augmented(this, statement); return
      case 'For': forLoop(this, statement); return
      case 'AsyncFor': asyncFor(this, statement); return
      case 'While': whileLoop(this, statement); return
      case 'If': this.#if(statement); return
      case 'With': case 'AsyncWith': writeWith(this, statement); return
      case 'Try': case 'TryStar': writeTry(this, statement); return
      case 'Raise': raise(this, statement); return
      case 'Assert':
        this.put(`if (${this.w.test(statement.test, true).text}) throw new ${this.w.python('AssertionError')}(${statement.msg === null ? '' : asString(this.w, statement.msg)})`)
        return
      case 'Delete': this.#delete(statement); return
      case 'Import': case 'ImportFrom': case 'Global': case 'Nonlocal': case 'Pass': return
      case 'Break': case 'Continue': jump(this, statement); return
      case 'Expr': this.#expression(statement.value); return
      case 'Match': this.problem(statement.problem?.at ?? statement, statement.problem?.message ?? 'match is not translated'); return
      default: this.problem(statement, 'this statement is not translated')
    }
  }

  #expression(value: Expression): void {
    if (value.type === 'Constant') return
    if (value.type === 'Yield' && contextBody(this, value)) return
    const [generator, ...others] = value.type === 'ListComp' ? value.generators : []
    if (value.type === 'ListComp' && generator !== undefined && others.length === 0) {
      const { target, iter, ifs } = generator
      this.put(`for (const ${pattern(this.w, target)} of ${this.w.iterable(iter).text}) ${ifs.map((test) => `if (${this.w.test(test).text}) `).join('')}${this.code(value.elt)}`)
      return
    }
    const text = this.w.during('takesSets', value.type === 'Await', () => this.code(value))
    this.put(/^[[(`/]/.test(text) ? `;${text}` : text)
  }

  #return({ value, ...node }: Return): void {
    const { routine } = this
    if (routine?.isContext === true) this.problem(node, 'return in a context manager')
    else if (value !== null) this.put(`return ${this.code(value)}`)
    else this.put(this.bodies > 0 || returnsValue(routine?.body ?? []) ? 'return null' : 'return')
  }

  #delete(statement: Delete): void {
    for (const target of statement.targets) {
      if (target.type === 'Subscript' && target.slice.type !== 'Slice') {
        const take = this.w.python(this.w.typeOf(target.value).has('dict') ? 'take' : 'pop')
        this.put(`${take}(${this.code(target.value)}, ${this.code(target.slice)})`)
      } else if (target.type !== 'Name') this.problem(statement, 'this del')
    }
  }

  #if(statement: If): void {
    if (isMainGuard(statement.test)) {
      this.block(statement.body)
      return
    }
    this.put(`if (${this.w.test(statement.test).text}) {`)
    this.commentBehind(statement.line)
    const at = this.lines.length
    this.inner(statement.body)
    let rest = statement.orelse
    if (rest.length === 0) {
      this.close(at)
      return
    }
    while (rest.length === 1 && rest[0]?.type === 'If' && !this.declarations.before.has(rest[0])) {
      const [next] = rest
      this.from = next.line
      this.put(`} else if (${this.w.test(next.test).text}) {`)
      this.commentBehind(next.line)
      this.inner(next.body)
      rest = next.orelse
    }
    if (rest.length > 0) {
      this.put('} else {')
      this.inner(rest)
    }
    this.put('}')
  }
}

function firstLine(statement: Statement): number {
  return 'decorator_list' in statement && statement.decorator_list[0] !== undefined ? statement.decorator_list[0].line : statement.line
}
