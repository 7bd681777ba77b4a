import ArgumentParser
import Foundation
import Inference

/// The command line. Results go to standard output, everything else to standard error.
///
/// Exit codes: 0 success, 1 failed, 64 wrong usage; a run that a signal ends exits by that signal.
@main
struct Echoel: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "echoel",
        abstract: "Plays neural instruments, and runs the models behind them.",
        discussion: """
            Example: render a piece with two instruments, the trumpet on channel 2:

              echoel render song.mid --instrument strings,2=trumpet --out song.wav

            Exit codes: 0 success, 1 failed, 64 wrong usage.

            Completion for your shell (bash, zsh or fish), for example:

              echoel --generate-completion-script bash \\
                > ~/.local/share/bash-completion/completions/echoel
            """,
        version: "echoel \(Version.current)",
        subcommands: [
            Render.self, Play.self, Effect.self, ListDevices.self, Resynthesize.self, Instruments.self,
            Inspect.self,
            Run.self, Bench.self, Optimize.self, Runtime.self, Doctor.self, ProviderWorker.self,
            StartupWorker.self,
        ])

    static func main() {
        Interruption.prepare()
        do {
            var command = try parseAsRoot()
            do {
                try command.run()
            } catch let interrupted as Interrupted {
                Interruption.end(by: interrupted.signal)
            } catch  where isParserOutcome(error) {
                exit(withError: error)
            } catch {
                Terminal.failure(error)
                Foundation.exit(1)
            }
        } catch {
            exit(withError: error)
        }
    }

    /// Whether the argument parser knows how to end with this error: help, wrong usage, a bare exit code.
    private static func isParserOutcome(_ error: any Error) -> Bool {
        error is CleanExit || error is ValidationError || error is ExitCode
            || exitCode(for: error) != .failure
    }
}

enum Version {
    /// The version of the tool, which is the library's.
    static let current = "\(EchoelVersion.current)"
}
