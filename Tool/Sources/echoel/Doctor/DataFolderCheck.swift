import Foundation
import Models

/// Whether the data folder can be written to.
enum DataFolderCheck {
    static func run(_ checks: inout [Check]) {
        let name = "data folder"
        guard let folder = ModelStore.dataFolder() else {
            checks.append(
                .failed(name, "there is no home folder", fix: "set ECHOEL_HOME to a folder of yours"))
            return
        }
        let files = FileManager.default
        var isFolder: ObjCBool = false
        if unsafe files.fileExists(atPath: folder, isDirectory: &isFolder) {
            if !isFolder.boolValue {
                checks.append(
                    .failed(
                        name, "\(folder) is not a folder", fix: "move it away, or set ECHOEL_HOME to a folder"
                    ))
            } else if files.isWritableFile(atPath: folder) {
                checks.append(.passed(name, "\(folder) is writable"))
            } else {
                checks.append(
                    .failed(
                        name, "\(folder) is not writable",
                        fix: "change its permissions, or set ECHOEL_HOME to a folder of yours"))
            }
            return
        }
        var parent = URL(fileURLWithPath: folder).deletingLastPathComponent()
        while !files.fileExists(atPath: parent.path), parent.path != "/" { parent.deleteLastPathComponent() }
        if files.isWritableFile(atPath: parent.path) {
            checks.append(.passed(name, "\(folder) is not there yet, and can be made"))
        } else {
            checks.append(
                .failed(
                    name, "\(folder) is not there and cannot be made in \(parent.path)",
                    fix: "set ECHOEL_HOME to a folder of yours"))
        }
    }
}
