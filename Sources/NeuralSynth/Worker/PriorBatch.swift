internal import Inference
internal import Streaming

/// What one prior has to say in the batch that is being put together: a row for each slot of each of its voices.
@safe final class PriorBatch {
    private let prior: LatentPrior
    private let columns: PriorColumns
    private var rows = 0

    init(_ prior: NeuralPrior, maximumRows: Int) throws(InferenceError) {
        self.prior = try LatentPrior(
            session: prior.session, description: prior.description, maximumRows: maximumRows)
        columns = PriorColumns(prior.description)
    }

    /// Adds rows to the batch; the number of the first.
    func add(rows count: Int) -> Int {
        defer { rows += count }
        return rows
    }

    /// Fills a row with `voice` as it is `secondsOn` after its note-on and `secondsOff` after its note-off.
    func fill(row: Int, of voice: Voice, secondsOn: Float, secondsOff: Float) {
        unsafe columns.fill(prior.note(row: row), of: voice, secondsOn: secondsOn, secondsOff: secondsOff)
    }

    /// Computes the latents of the rows, if there are any, and begins the next batch.
    func run() throws(InferenceError) {
        guard rows > 0 else { return }
        defer { rows = 0 }
        try prior.run(rows: rows)
    }

    /// The latent of a row of the batch that was run last.
    func latent(row: Int) -> UnsafePointer<Float> { unsafe prior.latent(row: row) }
}
