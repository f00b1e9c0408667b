//! The binary: an exit code from the command line face.

fn main() -> std::process::ExitCode {
    invisigoth::cli::main().into()
}
