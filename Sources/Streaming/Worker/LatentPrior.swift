public import Inference

/// A prior bound to its buffers: rows of note columns in, one latent per row out.
///
/// Room: worker, one thread at a time; `init` control.
@safe public final class LatentPrior {
    public let description: PriorDescription
    public let maximumRows: Int
    let notes: TensorBuffer
    let latents: TensorBuffer
    private var runs: BoundRunTable

    /// - Throws: `InferenceError` when the model does not have the tensors that the description promises.
    public init(session: Session, description: PriorDescription, maximumRows: Int) throws(InferenceError) {
        self.description = description
        self.maximumRows = maximumRows
        notes = TensorBuffer(count: maximumRows * description.columns.count)
        latents = TensorBuffer(count: maximumRows * description.latentSize)
        runs = BoundRunTable(count: maximumRows)
        for rows in 1...maximumRows {
            try runs.set(
                rows - 1,
                BoundRun(
                    session,
                    inputs: [.init(name: "note", shape: [rows, description.columns.count], buffer: notes)],
                    outputs: [.init(name: "latent", shape: [rows, description.latentSize], buffer: latents)]))
        }
    }

    /// The columns of row `row`, to be filled before `run`.
    public func note(row: Int) -> UnsafeMutablePointer<Float> {
        unsafe notes.base + row * description.columns.count
    }

    /// The latent of row `row`, after `run`.
    public func latent(row: Int) -> UnsafePointer<Float> {
        unsafe UnsafePointer(latents.base + row * description.latentSize)
    }

    /// Computes the latents of rows 0 ..< `rows`; allocates nothing.
    public func run(rows: Int) throws(InferenceError) { try runs.run(rows - 1) }
}
