import Dispatch
import Realtime
import Synchronization

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

// A gate that cannot fail proves nothing: each of these must abort in a build with the sanitizer that is there for it.
// usage: SeededViolation allocation|lock|race|overrun

nonisolated(unsafe) var grown: [Float] = []
nonisolated(unsafe) var shared = 0
let guarded = Mutex(0)

let region = RealtimeRegion.enter()
switch CommandLine.arguments.dropFirst().first {
case "allocation":
    for i in 0..<10_000 { unsafe grown.append(Float(i)) }
case "lock":
    sleepWithTheLock()
case "race":
    race()
default:
    overrun()
}
region.leave()
print("not caught")

func sleepWithTheLock() {
    guarded.withLock { _ in usleep(10) }
}

/// Two threads count in the same place, and nothing keeps them apart.
func race() {
    let other = DispatchGroup()
    DispatchQueue.global().async(group: other) { count() }
    count()
    other.wait()
}

func count() { for _ in 0..<100_000 { unsafe shared += 1 } }

/// Reads behind the end of what was allocated.
func overrun() {
    let samples = UnsafeMutablePointer<Float>.allocate(capacity: 16)
    unsafe samples.initialize(repeating: 0, count: 16)
    print(unsafe samples[CommandLine.arguments.count + 14])
    unsafe samples.deallocate()
}
