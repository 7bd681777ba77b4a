import Realtime
import Synchronization
import TestSupport
import Testing

@Suite("Retire queue")
struct RetireQueueTests {
    final class Tenant: Sendable {
        let gone: Shared<Counter>
        init(_ gone: Shared<Counter>) { self.gone = gone }
        deinit { gone.value.add(1) }
    }

    @Test func whatIsRetiredLivesUntilItIsFreed() {
        let gone = Shared(Counter())
        do {
            let queue = RetireQueue<Tenant>(minimumCapacity: 4)
            for round in 1...3 {
                for _ in 0..<4 { #expect(unsafe queue.retire(Unmanaged.passRetained(Tenant(gone)))) }
                let refused = unsafe Unmanaged.passRetained(Tenant(gone))
                #expect(unsafe !queue.retire(refused))
                unsafe refused.release()
                #expect(gone.value.read() == 5 * (round - 1) + 1)
                #expect(queue.free() == 4)
                #expect(queue.free() == 0)
                #expect(gone.value.read() == 5 * round)
            }
            #expect(unsafe queue.retire(Unmanaged.passRetained(Tenant(gone))))
        }
        #expect(gone.value.read() == 16)
    }

    @Test func oneThreadRetiresAndAnotherFrees() async {
        let (gone, queue) = (Shared(Counter()), Shared(RetireQueue<Tenant>(minimumCapacity: 8)))
        let count = 5_000
        async let retired: Void = onThread {
            for _ in 0..<count {
                let object = unsafe Unmanaged.passRetained(Tenant(gone))
                while unsafe !queue.value.retire(object) {}
            }
        }
        async let freed = onThread {
            var freed = 0
            while freed < count { freed += queue.value.free() }
            return freed
        }
        await retired
        #expect(await freed == count)
        #expect(gone.value.read() == count)
    }
}
