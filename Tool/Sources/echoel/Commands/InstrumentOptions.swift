import ArgumentParser
import Models

/// `--instrument` and `--models`, for commands that play.
struct InstrumentOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp("Who plays.", valueName: "name[,channel=name…]"),
        completion: .custom { _, _, _ in
            let store = try? ModelStore.locate(in: ModelStore.candidates())
            return (try? store?.listing())?.instruments.map(\.name) ?? []
        })
    var instrument: String?
    @OptionGroup var store: StoreOptions

    func validate() throws { _ = try assignment() }

    private func assignment() throws -> InstrumentAssignment? {
        guard let instrument else { return nil }
        do throws(InstrumentAssignment.Failure) {
            return try InstrumentAssignment(parsing: instrument)
        } catch {
            throw ValidationError("--instrument: \(error.reason).")
        }
    }

    /// The instruments to load, and where the channels start.
    func choose(from store: ModelStore) throws -> ([InstrumentManifest], ChannelPlan) {
        if let assignment = try assignment() {
            let manifests = try assignment.allNames.map { name throws(ModelsError) in
                try store.instrument(named: name)
            }
            return (manifests, ChannelPlan(assignment, names: assignment.allNames))
        }
        let listing = try store.listing()
        if let problem = listing.problems.first { throw problem }
        guard !listing.instruments.isEmpty else {
            throw ToolError(
                .unusable,
                "No instruments are installed in \(store.neuralSynthFolder). Give another folder with --models."
            )
        }
        return (listing.instruments, ChannelPlan(all: listing.instruments))
    }
}
