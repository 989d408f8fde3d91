// bcrypt in JavaScript, the asynchronous call: it goes on in slices of 100 ms, each a block.
// asks: /wait /login
// expects: kind=javascript request=/login library=bcryptjs least=60
// packages: bcryptjs@3.0.2
import { hash } from 'bcryptjs'
import { serve } from './serve.mjs'

serve({ '/login': () => hash('secret', 13) })
