// Puts a call into every loop of the program, so that the thread can report that it is blocked, and in which line.
import ts from 'typescript'
import { Hooks } from './hooks.ts'

/** For `before` in a transformation: `while (x) f()` becomes `while (x) { held(3); f() }`. */
export function guardLoops(context: ts.TransformationContext): (source: ts.SourceFile) => ts.SourceFile {
  const { factory } = context
  return (source) => {
    const hooks = new Hooks(factory)
    const guarded = (loop: ts.Node, body: ts.Statement): ts.Statement => {
      const line = source.getLineAndCharacterOfPosition(loop.getStart(source)).line + 1
      const call = factory.createExpressionStatement(hooks.call('held', factory.createNumericLiteral(line)))
      ts.setSourceMapRange(call, loop)
      return factory.createBlock([call, body], true)
    }
    const visit = (node: ts.Node): ts.Node => {
      const seen = ts.visitEachChild(node, visit, context)
      if (ts.isWhileStatement(seen)) return factory.updateWhileStatement(seen, seen.expression, guarded(node, seen.statement))
      if (ts.isDoStatement(seen)) return factory.updateDoStatement(seen, guarded(node, seen.statement), seen.expression)
      if (ts.isForStatement(seen)) return factory.updateForStatement(seen, seen.initializer, seen.condition, seen.incrementor, guarded(node, seen.statement))
      if (ts.isForOfStatement(seen)) return factory.updateForOfStatement(seen, seen.awaitModifier, seen.initializer, seen.expression, guarded(node, seen.statement))
      if (ts.isForInStatement(seen)) return factory.updateForInStatement(seen, seen.initializer, seen.expression, guarded(node, seen.statement))
      return seen
    }
    return hooks.importInto(ts.visitEachChild(source, visit, context))
  }
}
