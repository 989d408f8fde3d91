// bcrypt in JavaScript, the synchronous call.
// asks: /wait /login
// expects: function=check line=here kind=javascript request=/login
// packages: bcryptjs@3.0.2
import { hashSync } from 'bcryptjs'
import { serve } from './serve.mjs'

function check() {
  return hashSync('secret', 13) // here
}

serve({ '/login': () => check() })
