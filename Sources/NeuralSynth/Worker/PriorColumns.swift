internal import Streaming

/// Where each of a prior's columns goes, and the row that an instrument's notes start from.
struct PriorColumns {
    /// The row's width.
    let count: Int
    private let pitch, velocity, secondsOn, secondsOff, variation: Int?

    init(_ description: PriorDescription) {
        count = description.columns.count
        pitch = description.columns.firstIndex(of: "pitch")
        velocity = description.columns.firstIndex(of: "velocity")
        secondsOn = description.columns.firstIndex(of: "secondsOn")
        secondsOff = description.columns.firstIndex(of: "secondsOff")
        variation = description.columns.firstIndex(of: "variation")
    }

    /// What the rows of all notes of `instrument` have in common: its weight and its temperature.
    static func template(of instrument: NeuralInstrument) throws(NeuralSynthError) -> [Float] {
        let prior = instrument.prior.description
        if let unknown = prior.unknownColumn {
            throw NeuralSynthError(
                .unknownColumn,
                "\(instrument.name): nothing fills the column \(unknown) of its prior; there may be "
                    + "\(PriorDescription.noteColumns.joined(separator: ", ")) and instrument.<name>")
        }
        var row = [Float](repeating: 0, count: prior.columns.count)
        if let column = prior.columns.firstIndex(of: "temperature") { row[column] = instrument.temperature }
        if let name = instrument.priorInstrument {
            let wanted = PriorDescription.column(ofInstrument: name)
            guard let column = prior.columns.firstIndex(of: wanted) else {
                throw NeuralSynthError(
                    .missingColumn,
                    "\(instrument.name): its prior has no column \(wanted); it has: "
                        + prior.columns.joined(separator: ", "))
            }
            row[column] = 1
        } else if !prior.instruments.isEmpty {
            throw NeuralSynthError(
                .missingColumn,
                "\(instrument.name): its prior plays \(prior.instruments.joined(separator: ", ")), and "
                    + "priorInstrument does not say which of them it is")
        }
        return row
    }

    @unsafe func fill(
        _ row: UnsafeMutablePointer<Float>, of voice: Voice, secondsOn: Float, secondsOff: Float
    ) {
        for i in 0..<count { unsafe row[i] = voice.template[i] }
        if let column = pitch { unsafe row[column] = voice.timbreKey }
        if let column = velocity { unsafe row[column] = voice.velocity }
        if let column = self.secondsOn { unsafe row[column] = secondsOn }
        if let column = self.secondsOff { unsafe row[column] = secondsOff }
        if let column = variation { unsafe row[column] = voice.variation }
    }
}
