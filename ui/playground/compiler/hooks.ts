// The functions of the thread that the compiler calls from within a program: imported under names that the program does not
// use, so that neither its variables nor its globals can replace them.
import ts from 'typescript'
import { HOOKS } from '../thread/modules.ts'

export class Hooks {
  readonly #factory: ts.NodeFactory
  readonly #names = new Map<string, ts.Identifier>()

  constructor(factory: ts.NodeFactory) {
    this.#factory = factory
  }

  /** A call of the hook `name`, as a statement or within an expression. */
  call(name: string, ...values: readonly ts.Expression[]): ts.CallExpression {
    let local = this.#names.get(name)
    if (local === undefined) this.#names.set(name, local = this.unique(name))
    return this.#factory.createCallExpression(local, undefined, values)
  }

  /** A name that is used nowhere in the program. */
  unique(name: string): ts.Identifier {
    return this.#factory.createUniqueName(name)
  }

  /** The module with an import of the hooks that were called. */
  importInto(source: ts.SourceFile): ts.SourceFile {
    if (this.#names.size === 0) return source
    const factory = this.#factory
    const names = [...this.#names].map(([name, local]) => factory.createImportSpecifier(false, factory.createIdentifier(name), local))
    const imported = factory.createImportDeclaration(undefined, factory.createImportClause(undefined, undefined, factory.createNamedImports(names)), factory.createStringLiteral(HOOKS))
    return factory.updateSourceFile(source, [imported, ...source.statements])
  }
}
