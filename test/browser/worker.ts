// The Web Worker of the browser test.
import { serve, type Port } from './programs.ts'

serve(globalThis as unknown as Port)
