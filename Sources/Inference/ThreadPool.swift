/// Threads that take jobs from one queue, in order.
///
/// Room: control. A job runs exactly one of its two closures, once.
final class ThreadPool: @unchecked Sendable {
    // Sendable: everything that changes is inside the monitor.
    struct Job {
        let run: @Sendable () -> Void
        let cancel: @Sendable () -> Void
    }

    /// Names a job before it is submitted, so that it can be cancelled at any time.
    struct Ticket: Hashable, Sendable {
        fileprivate let number: UInt64
    }

    fileprivate struct State {
        var nextTicket: UInt64 = 0
        var reserved: Set<Ticket> = []
        var cancelledEarly: Set<Ticket> = []
        var queue: [UInt64: (ticket: Ticket, job: Job)] = [:]
        var places: [Ticket: UInt64] = [:]
        var head: UInt64 = 0
        var tail: UInt64 = 0
        var isStopping = false

        mutating func enqueue(_ ticket: Ticket, _ job: Job) {
            queue[tail] = (ticket, job)
            places[ticket] = tail
            tail += 1
        }

        mutating func dequeue() -> Job? {
            while head < tail {
                defer { head += 1 }
                guard let (ticket, job) = queue.removeValue(forKey: head) else { continue }
                places[ticket] = nil
                return job
            }
            return nil
        }

        mutating func remove(_ ticket: Ticket) -> Job? {
            places.removeValue(forKey: ticket).flatMap { queue.removeValue(forKey: $0)?.job }
        }
    }

    private let state = Monitor(State())
    private var threads: [PosixThread] = []

    /// - Throws: `outOfResources` where the system starts no more threads.
    init(threads count: Int) throws(InferenceError) {
        for _ in 0..<count {
            do throws(InferenceError) {
                threads.append(try PosixThread.start { [state] in Self.work(state) })
            } catch {
                shutDown()
                throw error
            }
        }
    }

    deinit { shutDown() }

    func reserve() -> Ticket {
        state.withLock { state in
            let ticket = Ticket(number: state.nextTicket)
            state.nextTicket += 1
            state.reserved.insert(ticket)
            return ticket
        }
    }

    /// Queues a job under a ticket that was reserved for it.
    func submit(_ ticket: Ticket, _ job: Job) {
        let accepted = state.notify { state in
            state.reserved.remove(ticket)
            if state.cancelledEarly.remove(ticket) != nil || state.isStopping { return false }
            state.enqueue(ticket, job)
            return true
        }
        if !accepted { job.cancel() }
    }

    /// Cancels a job that has not begun; else does nothing.
    func cancel(_ ticket: Ticket) {
        let job = state.withLock { state in
            if state.reserved.contains(ticket) { state.cancelledEarly.insert(ticket) }
            return state.remove(ticket)
        }
        job?.cancel()
    }

    /// Jobs that have not begun.
    var queued: Int { state.withLock { $0.places.count } }

    /// Cancels what is queued, and waits for what is running (unless called from a job).
    private func shutDown() {
        let jobs = state.notify { state in
            state.isStopping = true
            var jobs: [Job] = []
            while let job = state.dequeue() { jobs.append(job) }
            return jobs
        }
        for job in jobs { job.cancel() }
        for thread in threads {
            if thread.isCurrent { thread.detach() } else { thread.join() }
        }
        threads = []
    }

    private static func work(_ state: Monitor<State>) {
        while true {
            let job: Job? = state.wait { state in
                if let job = state.dequeue() { return .some(.some(job)) }
                return state.isStopping ? .some(nil) : nil
            }
            guard let job else { return }
            job.run()
        }
    }
}
