import Realtime
import Synchronization

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

// A gate that cannot fail proves nothing: in an RTSAN build each of these must abort.
// usage: SeededViolation allocation|lock

nonisolated(unsafe) var grown: [Float] = []
let guarded = Mutex(0)

let region = RealtimeRegion.enter()
switch CommandLine.arguments.dropFirst().first {
case "allocation":
    for i in 0..<10_000 { unsafe grown.append(Float(i)) }
default:
    sleepWithTheLock()
}
region.leave()
print("not caught")

func sleepWithTheLock() {
    guarded.withLock { _ in usleep(10) }
}
