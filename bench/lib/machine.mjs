// The machine and versions that the figures were measured with.
import { cpus, totalmem, type } from 'node:os'
import { findPython } from './peers.mjs'
import { commit, packageVersion } from './prepare.mjs'

/** `isGiven`: the build was not made from this checkout, whose commit says nothing about it. */
export function machine(names, isGiven) {
  const python = names.some((name) => name === 'asyncio' || name === 'uvloop') ? findPython() : undefined
  const packages = ['effect', 'effection'].filter((name) => names.some((other) => other.startsWith(name)))
  return {
    cpu: cpus()[0]?.model.trim() ?? 'unknown CPU',
    cores: cpus().length,
    memoryGB: Math.round(totalmem() / 2 ** 30),
    system: type(),
    versions: {
      loopscope: isGiven ? 'of a given build' : commit(),
      node: process.versions.node,
      ...Object.fromEntries(packages.map((name) => [name, packageVersion(name)])),
      ...(python && { python: python.version }),
      ...(python?.uvloop && { uvloop: python.uvloop }),
    },
  }
}

export function describeMachine({ cpu, cores, memoryGB, system, versions }) {
  const software = Object.entries(versions).filter(([, version]) => version).map(([name, version]) => `${name} ${version}`)
  return `${cpu}, ${cores} cores, ${memoryGB} GB, ${system}; ${software.join(', ')}`
}
