// Context variables across threads. A variable is known on both sides if the function's module exports it (its own, or one it
// re-exports). Those are sent with a call, and what the function sets is sent back.
import type { Context } from '../runtime/context.ts'
import type { LoadedModule } from './exports.ts'

/** Values by the variable's export name. */
export type Values = Record<string, unknown>

/** The values of the module's variables in `context`; `undefined` if there are none. */
export function takeAlong(module: LoadedModule, context: Context | null): Values | undefined {
  if (context === null || module.variables.length === 0) return undefined
  let values: Values | undefined
  for (const [name, variable] of module.variables) {
    if (context.has(variable)) (values ??= {})[name] = context.get(variable)
  }
  return values
}

/** Sets the module's variables in the current context. */
export function putDown(module: LoadedModule, values: Values | undefined): void {
  if (values === undefined) return
  for (const [name, variable] of module.variables) {
    if (Object.hasOwn(values, name)) variable.set(values[name])
  }
}

/** What the module's variables were set to since `before` was taken; a value changed in place counts as the same. */
export function takeBack(module: LoadedModule, context: Context, before: Values | undefined): Values | undefined {
  const after = takeAlong(module, context)
  if (after === undefined) return undefined
  let values: Values | undefined
  for (const name of Object.keys(after)) {
    const same = before !== undefined && Object.hasOwn(before, name) && Object.is(before[name], after[name])
    if (!same) (values ??= {})[name] = after[name]
  }
  return values
}
