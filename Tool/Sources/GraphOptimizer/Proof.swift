import Inference

/// A graph, and the session that runs it.
struct Candidate {
    let graph: Graph
    let session: Session
}

/// The model as far as it is proven, and what has been tried.
struct Proof {
    let original: Session
    let reference: [[Float]]
    let stimulus: Stimulus
    let optimizer: Optimizer
    var current: Candidate
    private(set) var steps: [Optimizer.Step] = []
    /// The last rewrite for time that was right and not faster by itself: what it leaves the next one may make fast.
    private var pending: (name: String, candidate: Candidate)?

    init(
        original: Session, reference: [[Float]], stimulus: Stimulus, optimizer: Optimizer, current: Candidate
    ) {
        self.original = original
        self.reference = reference
        self.stimulus = stimulus
        self.optimizer = optimizer
        self.current = current
    }

    /// Tries a rewrite on the model as it stands, and on what the last one left. - Returns: the steps that this was.
    mutating func tryOut(_ rewrite: any GraphRewrite) throws -> [Optimizer.Step] {
        let before = steps.count
        let earlier = rewrite.gain == .time ? pending : nil
        _ = try tryOut(rewrite, on: current.graph, as: rewrite.name)
        if let earlier {
            _ = try tryOut(rewrite, on: earlier.candidate.graph, as: "\(earlier.name)+\(rewrite.name)")
            pending = nil
        }
        return Array(steps[before...])
    }

    private mutating func tryOut(_ rewrite: any GraphRewrite, on graph: Graph, as name: String) throws -> Bool
    {
        var graph = graph
        var step = Optimizer.Step(name: name, what: "")
        let candidate: Candidate
        do {
            guard let what = try rewrite.apply(to: &graph) else { return false }
            step.what = what
            candidate = Candidate(graph: graph, session: try optimizer.session(graph.model))
            step.decibels = try decibels(of: candidate.session)
        } catch let error as InferenceError {
            step.reason = "it does not run: \(error.message)"
            steps.append(step)
            return false
        }
        defer { steps.append(step) }
        guard let decibels = step.decibels, decibels >= optimizer.leastDecibels else {
            step.reason = "below the bound of \(optimizer.leastDecibels) dB"
            return false
        }
        let times = try Turns(
            current.session, candidate.session, sizes: stimulus.sizes, seconds: optimizer.seconds)
        step.beforeMilliseconds = times.before
        step.afterMilliseconds = times.after
        switch rewrite.gain {
        case .time: step.isKept = times.ratio < Optimizer.faster
        case .size: step.isKept = times.ratio <= Optimizer.notSlower
        }
        if step.isKept {
            current = candidate
            pending = nil
        } else {
            step.reason = rewrite.gain == .time ? "not faster here" : "slower here"
            if rewrite.gain == .time { pending = (name, candidate) }
        }
        return step.isKept
    }

    func decibels(of session: Session) throws -> Double {
        Accuracy.decibels(try stimulus.outputs(of: session), reference: reference)
    }
}
