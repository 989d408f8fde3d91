// A GraphQL answer of many rows: resolved and completed in one go.
// asks: /wait /graphql
// expects: function=answer line=here kind=javascript,microtasks request=/graphql
// packages: graphql@16.11.0
import { buildSchema, graphqlSync } from 'graphql'
import { serve } from './serve.mjs'

const schema = buildSchema('type Row { id: Int, name: String, owner: Row } type Query { rows: [Row] }')
const rows = Array.from({ length: 60_000 }, (_, id) => ({ id, name: `row ${id}`, owner: { id: id + 1, name: `owner ${id}` } }))

function answer() {
  return graphqlSync({ schema, source: '{ rows { id name owner { id name } } }', rootValue: { rows } }) // here
}

serve({ '/graphql': () => answer().data.rows.length })
