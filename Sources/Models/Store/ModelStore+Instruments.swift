internal import Inference

extension ModelStore {
    /// What a folder holds: the instruments that can be read, and why the others cannot.
    public struct Listing: Sendable {
        /// In order of name.
        public var instruments: [InstrumentManifest] = []
        public var problems: [ModelsError] = []
    }

    /// Reads every instrument's manifest; the models themselves are not opened.
    ///
    /// - Throws: `unreadable` when the folder cannot be listed.
    public func listing() throws(ModelsError) -> Listing {
        let names: [String]
        do throws(SystemCallError) {
            names = try folderEntries(neuralSynthFolder)
        } catch {
            throw BoundedFile.unreadable(neuralSynthFolder, error.number)
        }
        var listing = Listing()
        for name in names where name.hasSuffix(InstrumentManifest.fileSuffix) && !name.hasPrefix(".") {
            do throws(ModelsError) {
                listing.instruments.append(try InstrumentManifest.read(path: "\(neuralSynthFolder)/\(name)"))
            } catch {
                listing.problems.append(error)
            }
        }
        listing.instruments.sort { $0.name < $1.name }
        return listing
    }

    /// Reads one instrument's manifest.
    ///
    /// - Throws: `unknownInstrument`, with the names of those that are installed, and what reading throws.
    public func instrument(named name: String) throws(ModelsError) -> InstrumentManifest {
        let isPlain =
            !name.isEmpty && name.allSatisfy { $0.isASCIILetter || $0.isASCIIDigit || "_-.".contains($0) }
        let path = "\(neuralSynthFolder)/\(name)\(InstrumentManifest.fileSuffix)"
        guard isPlain, BoundedFile.exists(path) else {
            let names = try listing().instruments.map(\.name)
            throw ModelsError(
                .unknownInstrument, file: folder, "there is no instrument \(quoted(name))",
                remedy: names.isEmpty
                    ? "No instrument is installed there; give another folder with --models"
                    : "Installed: \(names.joined(separator: ", "))")
        }
        return try InstrumentManifest.read(path: path)
    }
}
