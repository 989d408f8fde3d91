"""One sample, in a process of its own: python3 sample.py asyncio|uvloop JOB; does the same as sample.mjs."""

import asyncio
import gc
import json
import os
import resource
import sys
import time

from programs import asyncio_programs as workloads


def cpu_seconds():
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def resident():
    with open("/proc/self/statm") as statm:
        return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def collect():
    gc.collect()
    gc.collect()


def report(value, measured):
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(json.dumps({"value": value, **measured, "peak": peak, "process": cpu_seconds()}), flush=True)
    os._exit(0)


class Meter:
    settle = 0.3

    def __init__(self):
        self.cpu = self.wall = self.repeats = 0
        self.begun = None

    def start(self):
        self.begun = cpu_seconds(), time.perf_counter()

    lap = start

    def stop(self):
        self.cpu += cpu_seconds() - self.begun[0]
        self.wall += time.perf_counter() - self.begun[1]
        self.repeats += 1

    def memory_before(self):
        collect()
        self.rss = resident()

    def memory_after(self, asleep, tasks):
        collect()
        report(asleep, {"rss": (resident() - self.rss) / len(tasks)})


def main():
    new_loop, job = None, json.loads(sys.argv[2])
    if sys.argv[1] == "uvloop":
        import uvloop

        new_loop = uvloop.new_event_loop

    def once(workload, params, meter):
        with asyncio.Runner(loop_factory=new_loop) as runner:
            return runner.run(getattr(workloads, workload)(params, meter))

    warmup, seconds = job["warmup"], job["seconds"]
    warm = Meter()
    while warm.cpu < seconds["warm"] and warm.wall < seconds["wall"]:
        warm.start()
        once(warmup["workload"], warmup["params"], Meter())
        warm.stop()
    collect()
    meter = Meter()
    values = set()
    while meter.cpu < seconds["measured"] and meter.wall < seconds["wall"]:
        meter.start()
        values.add(once(job["workload"], job["params"], meter))
        meter.stop()
    value = values.pop() if len(values) == 1 else " then ".join(map(str, values))
    n = meter.repeats
    report(value, {"cpu": meter.cpu / n, "wall": meter.wall / n, "repeats": n})


main()
