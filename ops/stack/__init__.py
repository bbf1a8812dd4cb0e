"""Everything `make run` starts on one machine: a broker, databases, the four stages, the gateway.

It knows the stages by the names of their classes, as an operator would, and imports none.
"""

SERVICES = {
    "intake": "services.intake.service:IntakeService",
    "triage": "services.triage.service:TriageService",
    "opd_response": "services.opd_response.service:OpdResponseService",
    "notification": "services.notification.service:NotificationService",
}
"""Each stage and the class that `nameko run` hosts for it."""
