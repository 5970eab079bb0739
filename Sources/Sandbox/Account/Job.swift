internal import Primitives

enum JobKind: UInt8, Sendable, CaseIterable {
    case fraudsterRegistration
    case speakerEnrollment

    /// The member that says what to do with the people in the input.
    var configuration: String {
        switch self {
        case .fraudsterRegistration: "RegistrationConfig"
        case .speakerEnrollment: "EnrollmentConfig"
        }
    }
}

/// The states of a batch job, by their names in the service model; both kinds have the same.
enum JobStatus: String, Sendable, CaseIterable {
    case submitted = "SUBMITTED"
    case inProgress = "IN_PROGRESS"
    case completed = "COMPLETED"
    case completedWithErrors = "COMPLETED_WITH_ERRORS"
    case failed = "FAILED"

    /// Returns true if a job stays in it for ever.
    var isTerminal: Bool { self != .submitted && self != .inProgress }
}

/// A place in a list: newest first, and by identifier where times are equal, so that no two elements have the same.
struct Position: Sendable, Comparable {
    /// Milliseconds since 1970-01-01T00:00:00Z.
    let createdAt: Int64
    let key: UInt64

    static func < (left: Position, right: Position) -> Bool {
        left.createdAt == right.createdAt ? left.key < right.key : left.createdAt > right.createdAt
    }
}

/// A batch job at one moment. Of a job that was there from the start only what lists are ordered and filtered by is kept;
/// all else follows from the key, so that a million jobs cost little memory and never change.
struct Job: Sendable {
    let position: Position
    let status: JobStatus
    /// The request that started it; `nil` for a job that was there from the start.
    var start: StartedJob?

    var id: Identifier { Identifier(key: position.key) }

    /// Milliseconds since 1970-01-01T00:00:00Z; `nil` while it has not ended.
    var endedAt: Int64? {
        guard status.isTerminal else { return nil }
        return position.createdAt + (start?.duration ?? 60_000 + draw(.duration, below: 1_740_000))
    }

    /// The part of the input that has been worked on.
    var percentComplete: Int64 {
        switch status {
        case .submitted: 0
        case .inProgress: 1 + draw(.progress, below: 99)
        case .completed, .completedWithErrors: 100
        case .failed: draw(.progress, below: 100)
        }
    }

    /// The reason why the job as a whole failed. Errors in parts of it end in COMPLETED_WITH_ERRORS and have no such details, says
    /// https://docs.aws.amazon.com/connect/latest/APIReference/API_connect-voice-id_FraudsterRegistrationJob.html.
    var failure: (message: String, statusCode: Int64)? {
        guard status == .failed else { return nil }
        return switch draw(.failure, below: 4) {
        case 0: ("The role does not permit reading the input manifest.", 403)
        case 1: ("The input manifest does not exist.", 404)
        case 2: ("The input manifest is not valid JSON lines.", 400)
        default: ("The job ended because of an internal error.", 500)
        }
    }

    // MARK: Drawn from the key

    /// The purpose of a random number. Each has a sequence of its own, so that adding one changes no other.
    enum Purpose: UInt64 {
        case duration = 1
        case progress
        case failure
        case name
        case action
        case threshold
        case outcome
    }

    /// A number in `0..<bound` that is always the same for this job and purpose.
    func draw(_ purpose: Purpose, below bound: UInt64) -> Int64 {
        var random = SplitMix64(seed: position.key &+ purpose.rawValue)
        return Int64(truncatingIfNeeded: random.below(bound))
    }
}

/// A job that a call has started. Its status follows from the time, so that no timer has to run.
final class StartedJob: Sendable {
    let position: Position
    let startedAt: MonotonicInstant
    /// The time from its submission to its end, in milliseconds.
    let duration: Int64
    let request: OperationInput

    init(position: Position, startedAt: MonotonicInstant, duration: Int64, request: OperationInput) {
        self.position = position
        self.startedAt = startedAt
        self.duration = duration
        self.request = request
    }

    /// The job at a moment: it waits for a fifth of its time, then it runs.
    func job(now: MonotonicInstant) -> Job {
        let elapsed = (now - startedAt) / 1_000_000
        let job = Job(position: position, status: .submitted, start: self)
        if elapsed < duration / 5 { return job }
        if elapsed < duration { return Job(position: position, status: .inProgress, start: self) }
        let outcome: JobStatus =
            switch job.draw(.outcome, below: 10) {
            case 0..<7: .completed
            case 7..<9: .completedWithErrors
            default: .failed
            }
        return Job(position: position, status: outcome, start: self)
    }
}
