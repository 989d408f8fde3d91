// What the fixtures say about types: `is<number>()(value)` compiles when the type of `value` is number, no wider and no narrower.

type Same<A, B> = (<X>(of: A) => X extends A ? 1 : 2) extends (<X>(of: A) => X extends B ? 1 : 2) ? true : false

/** Give the type, then the value. Where they differ the call lacks an argument: an error on its line. */
export declare function is<Wanted>(): <Given>(value: Given, ...differs: Same<Given, Wanted> extends true ? [] : [Given, Wanted]) => void
