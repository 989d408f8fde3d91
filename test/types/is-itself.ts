// That `is` can fail: without this the fixtures that use it would prove nothing.
import { is } from './is.ts'

declare const anything: any
declare const pair: [number, number]
declare const unsure: number | string

is<number>()(1 as number)
is<1>()(1 as const)
is<any>()(anything)
is<number | string>()(unsure)
is<[number, number]>()(pair)
is<{ a: number }>()({ a: 1 })

is<string>()(1) // error: TS2554
is<number>()(1 as const) // error: TS2554
is<number>()(unsure) // error: TS2554
is<number | string>()(1 as number) // error: TS2554
is<any>()(1 as number) // error: TS2554
is<number>()(anything) // error: TS2554
is<unknown>()(1 as number) // error: TS2554
is<unknown>()(anything) // error: TS2554
is<never>()(1 as number) // error: TS2554
is<[number, string]>()(pair) // error: TS2554
is<{ readonly a: number }>()({ a: 1 } as { a: number }) // error: TS2554
is<{ a?: number }>()({} as { a: number | undefined }) // error: TS2554
