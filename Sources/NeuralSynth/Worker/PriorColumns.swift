internal import Streaming

/// Where each of a prior's columns goes, and the row that an instrument starts from.
struct PriorColumns {
    /// The row's width.
    let count: Int
    private let pitch, velocity, secondsOn, secondsOff: Int?

    init(_ description: PriorDescription) {
        count = description.columns.count
        pitch = description.columns.firstIndex(of: "pitch")
        velocity = description.columns.firstIndex(of: "velocity")
        secondsOn = description.columns.firstIndex(of: "secondsOn")
        secondsOff = description.columns.firstIndex(of: "secondsOff")
    }

    /// A row that is zero but for the instrument's weight.
    static func template(instrument: String, in description: PriorDescription) throws(NeuralSynthError)
        -> [Float]
    {
        var row = [Float](repeating: 0, count: description.columns.count)
        guard let column = description.columns.firstIndex(of: "instrument.\(instrument)") else {
            throw NeuralSynthError(
                .missingColumn,
                "the prior has no column instrument.\(instrument); it has: \(description.columns.joined(separator: ", "))"
            )
        }
        row[column] = 1
        return row
    }

    @unsafe func fill(
        _ row: UnsafeMutablePointer<Float>, template: [Float], pitch: Float, velocity: Float,
        secondsOn: Float,
        secondsOff: Float
    ) {
        for i in 0..<count { unsafe row[i] = template[i] }
        if let column = self.pitch { unsafe row[column] = pitch }
        if let column = self.velocity { unsafe row[column] = velocity }
        if let column = self.secondsOn { unsafe row[column] = secondsOn }
        if let column = self.secondsOff { unsafe row[column] = secondsOff }
    }
}
