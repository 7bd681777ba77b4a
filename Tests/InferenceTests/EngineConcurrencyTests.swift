import Dispatch
import Synchronization
import TestSupport
import Testing

@testable import Inference

@Suite struct EngineConcurrencyTests {
    @Test func loadingUnloadingAndRunningFromManyTasksAtOnceIsSafe() async throws {
        let engine = MLEngine()
        try engine.initialize(.cpu)
        let finished = Counter()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for task in 0..<8 {
                group.addTask {
                    for round in 0..<40 {
                        let name = "model \((task + round) % 3)"
                        do {
                            switch (task + round * 5) % 4 {
                            case 0: try await engine.loadModel(at: fixture("identity.onnx"), named: name)
                            case 1: try await engine.unloadModel(named: name)
                            default:
                                let x = [Float](repeating: Float(round), count: 4)
                                #expect(try await engine.runInference(name, x) == x)
                                finished.increment()
                            }
                        } catch let error as InferenceError {
                            #expect(error.code == .modelNotLoaded || error.code == .unknownModel, "\(error)")
                        }
                    }
                }
            }
            try await group.waitForAll()
        }
        #expect(finished.value > 0)
        for name in engine.loadedModels { try await engine.unloadModel(named: name) }
        #expect(engine.loadedModels.isEmpty)
    }

    @Test func unloadingWaitsForTheRunInFlight() throws {
        let runtime = try OnnxRuntime.open()
        let path = fixture("identity.onnx")
        let model = LoadedModel(try Session(runtime, model: path), name: "identity", path: path)
        let isInside = DispatchSemaphore(value: 0)
        let mayLeave = DispatchSemaphore(value: 0)
        let hasClosed = DispatchSemaphore(value: 0)
        let left = Counter()
        let leftBeforeClose = Counter()
        DispatchQueue(label: "run").async {
            try! model.whileOpen { _ in
                isInside.signal()
                mayLeave.wait()
                left.increment()
            }
        }
        isInside.wait()
        DispatchQueue(label: "unload").async {
            model.close()
            if left.value == 1 { leftBeforeClose.increment() }
            hasClosed.signal()
        }
        // Once the door is closed no run gets in, though one is still inside.
        while (try? model.whileOpen { _ in }) != nil {}
        let closedEarly = hasClosed.wait(timeout: .now() + .milliseconds(20)) == .success
        #expect(!closedEarly)
        mayLeave.signal()
        if !closedEarly { hasClosed.wait() }
        #expect(leftBeforeClose.value == 1)
    }

    @Test func aCancelledTaskDoesNotWaitForTheQueue() async throws {
        let engine = try loaded("identity", threads: 1)
        let isBlocked = DispatchSemaphore(value: 0)
        let goOn = DispatchSemaphore(value: 0)
        engine.runInferenceAsync("identity", [1, 2, 3, 4]) { _ in
            isBlocked.signal()
            goOn.wait()
        }
        await onThread { isBlocked.wait() }
        let ended = Counter()
        let queued = Task {
            defer { ended.increment() }
            return try await engine.runInference("identity", [5, 6, 7, 8])
        }
        let second = Task { try await engine.runInference("identity", [1, 1, 1, 1]) }
        let pool = try engine.core().pool
        while pool.queued < 2 { try await Task.sleep(for: .milliseconds(1)) }
        queued.cancel()
        for _ in 0..<2000 where ended.value == 0 { try await Task.sleep(for: .milliseconds(1)) }
        #expect(ended.value == 1, "the only thread is still busy")
        goOn.signal()
        let error = await #expect(throws: InferenceError.self) { try await queued.value }
        #expect(error?.code == .cancelled)
        #expect(try await second.value == [1, 1, 1, 1])
        let late = Task {
            unsafe withUnsafeCurrentTask { unsafe $0?.cancel() }
            return try await engine.runInference("identity", [5, 6, 7, 8])
        }
        let early = await #expect(throws: InferenceError.self) { try await late.value }
        #expect(early?.code == .cancelled)
    }

    @Test func anEngineGoesWhenItsLastCallbackHasRun() async throws {
        var engine: MLEngine? = try loaded("identity", threads: 2)
        weak let released = engine
        let calls = Counter()
        let done = DispatchSemaphore(value: 0)
        for _ in 0..<50 {
            engine?.runInferenceAsync("identity", [1, 2, 3, 4]) { result in
                #expect((try? result.get()) == [1, 2, 3, 4])
                if calls.increment() == 50 { done.signal() }
            }
        }
        engine = nil
        await onThread { done.wait() }
        // The last callback's job lets go of the engine right after it.
        for _ in 0..<1000 where released != nil { try await Task.sleep(for: .milliseconds(1)) }
        #expect(released == nil)
    }

    @Test func aPoolRunsOrCancelsEveryJobOnce() throws {
        let ran = Counter()
        let cancelled = Counter()
        for _ in 0..<20 {
            let pool = try ThreadPool(threads: 3)
            for index in 0..<50 {
                let ticket = pool.reserve()
                if index % 7 == 0 { pool.cancel(ticket) }
                pool.submit(
                    ticket,
                    ThreadPool.Job(
                        run: { ran.increment() }, cancel: { cancelled.increment() }))
                if index % 5 == 0 { pool.cancel(ticket) }
            }
        }
        #expect(ran.value + cancelled.value == 1000)
        #expect(cancelled.value >= 160)
    }

    @Test func oneSessionMayBeRunByManyThreads() async throws {
        let session = try Session(OnnxRuntime.open(), model: fixture("scale_bias.onnx"))
        await withTaskGroup(of: Void.self) { group in
            for task in 0..<8 {
                group.addTask {
                    let a = TensorBuffer(count: 4)
                    let b = TensorBuffer(count: 4)
                    let sum = TensorBuffer(count: 4)
                    let run = try! BoundRun(
                        session,
                        inputs: [
                            .init(name: "a", shape: [1, 4], buffer: a),
                            .init(name: "b", shape: [1, 4], buffer: b),
                        ], outputs: [.init(name: "sum", shape: [1, 4], buffer: sum)])
                    for round in 0..<200 {
                        a.fill(Float(task))
                        b.fill(Float(round))
                        try! run.run()
                        sum.withSpan { sum in
                            for i in 0..<4 where sum[i] != Float(task + round) {
                                Issue.record("task \(task)")
                            }
                        }
                    }
                }
            }
        }
    }
}

private final class Counter: Sendable {
    private let count = Atomic<Int>(0)

    var value: Int { count.load(ordering: .sequentiallyConsistent) }

    @discardableResult func increment() -> Int { count.add(1, ordering: .sequentiallyConsistent).newValue }
}
