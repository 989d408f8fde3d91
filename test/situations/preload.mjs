// Puts an observer on a program that knows nothing of it.
import { observe } from '../../dist/src/observe/index.js'

const { url } = await observe({ port: 0 })
console.error(`the view is at ${url}`)
