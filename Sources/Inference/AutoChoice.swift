/// What runs one model best on this machine: every provider that the library has is loaded with the model and timed in turns,
/// and the choice is remembered for the same model, library, machine and options.
///
/// Room: control; it takes about a second the first time.
struct AutoChoice {
    typealias Choice = AccelerationType.Choice

    private let runtime: OnnxRuntime
    private let options: SessionOptions
    private let memory: AutoMemory

    /// - Parameter digest: of the model's bytes.
    init(_ runtime: OnnxRuntime, _ options: SessionOptions, digest: UInt64) {
        self.runtime = runtime
        self.options = options
        memory = AutoMemory(runtime, options, digest: digest)
    }

    /// - Parameter load: the model with one provider.
    /// - Throws: what the processor's session throws: a model that not even that runs.
    func make(
        _ load: (AccelerationType) throws(InferenceError) -> Session
    ) throws(InferenceError) -> Choice {
        if let remembered = memory.read() {
            // What cannot be loaded any more is measured anew.
            if remembered.acceleration == .cpu || (try? load(remembered.acceleration)) != nil {
                return remembered
            }
        }
        let choice = try measure(load)
        memory.write(choice)
        return choice
    }

    private struct Contender {
        let acceleration: AccelerationType
        let trial: LatencyTrial
        var milliseconds: [Double] = []

        var p99: Double { LatencyStatistics(milliseconds: milliseconds).p99Milliseconds }
    }

    private func measure(
        _ load: (AccelerationType) throws(InferenceError) -> Session
    ) throws(InferenceError) -> Choice {
        let processor = try load(.cpu)
        var contenders: [Contender] = []
        var reasons: [String] = []
        let reference: [[Float]]
        do throws(InferenceError) {
            let trial = try LatencyTrial(processor, dimensions: options.auto.dimensions)
            reference = try trial.outputs()
            contenders.append(Contender(acceleration: .cpu, trial: trial))
        } catch {
            return Choice(
                acceleration: .cpu,
                note: "The CPU was chosen: the model cannot be measured (\(error.message))")
        }
        for acceleration in AccelerationType.candidates {
            if let missing = acceleration.missing(in: runtime) {
                reasons.append("\(acceleration): \(missing)")
                continue
            }
            do throws(InferenceError) {
                let trial = try LatencyTrial(load(acceleration), dimensions: options.auto.dimensions)
                if let reason = try inexactness(trial, reference) {
                    reasons.append("\(acceleration): \(reason)")
                } else {
                    contenders.append(Contender(acceleration: acceleration, trial: trial))
                }
            } catch {
                reasons.append("\(acceleration): \(acceleration.reason(in: error))")
            }
        }
        if contenders.count > 1 { race(&contenders, &reasons) }
        // Who computes well at first need not go on so.
        contenders.removeAll { contender in
            guard contender.acceleration != .cpu else { return false }
            do throws(InferenceError) {
                guard let reason = try inexactness(contender.trial, reference) else { return false }
                reasons.append("\(contender.acceleration): \(reason)")
            } catch {
                reasons.append("\(contender.acceleration): \(contender.acceleration.reason(in: error))")
            }
            return true
        }
        return choose(contenders, reasons)
    }

    /// Why its results will not do; nil where they do. A sentence.
    private func inexactness(_ trial: LatencyTrial, _ reference: [[Float]]) throws(InferenceError) -> String?
    {
        let decibels = Accuracy.decibels(try trial.outputs(), reference: reference)
        guard decibels < options.auto.leastDecibels else { return nil }
        return Accuracy.refusal(decibels, least: options.auto.leastDecibels)
    }

    /// All in turns, so that what else the machine does meets them alike. Who fails is out.
    private func race(_ contenders: inout [Contender], _ reasons: inout [String]) {
        let (warmUp, least, most) = (5, 30, 10_000)
        for round in 0..<(warmUp + most) {
            for contender in contenders {
                guard let index = contenders.firstIndex(where: { $0.acceleration == contender.acceleration })
                else { continue }
                do throws(InferenceError) {
                    let time = try contender.trial.run()
                    if round >= warmUp { contenders[index].milliseconds.append(time) }
                } catch {
                    reasons.append(
                        "\(contender.acceleration): it failed while it was measured (\(error.message)).")
                    contenders.remove(at: index)
                }
            }
            let spent = contenders.map { $0.milliseconds.reduce(0, +) }.min() ?? 0
            if round >= warmUp + least - 1, spent >= 1000 * options.auto.seconds { return }
        }
    }

    /// A provider has to be a tenth faster than the processor, or in time where that is not: what is as fast is not worth
    /// its driver.
    private func choose(_ contenders: [Contender], _ reasons: [String]) -> Choice {
        let deadline = options.auto.deadlineMilliseconds
        let processorP99 = contenders.first { $0.acceleration == .cpu }?.p99
        func worth(_ contender: Contender) -> Double {
            contender.acceleration == .cpu ? 0.9 * contender.p99 : contender.p99
        }
        let inTime = contenders.filter { contender in deadline.map { contender.p99 <= $0 } ?? true }
        let chosen = (inTime.isEmpty ? contenders : inTime).min { worth($0) < worth($1) }
        guard contenders.count > 1 || processorP99 == nil, let chosen else {
            return Choice(
                acceleration: .cpu, note: (["The CPU was chosen."] + reasons).joined(separator: " "))
        }
        var sentences = [
            "\(chosen.acceleration == .cpu ? "The CPU" : "\(chosen.acceleration)") was chosen: "
                + "p99 \(chosen.p99.thousandths) ms."
        ]
        if let deadline, inTime.isEmpty {
            sentences.append("None is in time for \(deadline.thousandths) ms.")
        }
        for other in contenders where other.acceleration != chosen.acceleration {
            sentences.append("\(other.acceleration): p99 \(other.p99.thousandths) ms.")
        }
        return Choice(acceleration: chosen.acceleration, note: (sentences + reasons).joined(separator: " "))
    }
}

extension Double {
    fileprivate var thousandths: String { "\((self * 1000).rounded() / 1000)" }
}
