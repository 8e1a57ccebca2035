-- Facts that hold for a person, loan or contact point because somebody reported them: opt-outs, disputes, complaints,
-- hardship, wrong numbers, and a supervisor's pause or bar of a channel. The subject is the one that is not NULL of
-- contact_point_id, loan_id and party_id (with its person_id): a flag of a loan says nothing of the person's others.
-- What is true of the human (death, a risk to life ...: feedback/reaction.py, OF_THE_PERSON) holds for the person
-- whatever loan or point came with it; only an opt-out and a wrong number are narrowed to the point they name.
-- Grain: one row per report and loan it is about; one per report where it is about a person or a point.
-- Of: ops.feedback_event
-- flag_code: What holds, in the ledger's own codes; opt_out_<channel> where one channel is barred
-- loan_id: Loan it holds for; NULL when it holds for a person or a point
-- starts_at: First instant
-- ends_at: First instant after it (half-open); NULL while it lasts
WITH coded AS (
    SELECT
        *,
        CASE
            WHEN kind_code = 'flag' THEN detail ->> 'flag_code'
            WHEN kind_code = 'opt_out' AND detail ->> 'channel_code' IS NULL THEN 'opt_out'
            WHEN kind_code = 'opt_out' OR detail ->> 'action_code' = 'bar_channel'
                THEN 'opt_out_' || (detail ->> 'channel_code')
            WHEN kind_code = 'override' THEN 'supervisor_pause'
            ELSE kind_code
        END AS flag_code
    FROM ops.feedback
    WHERE
        kind_code IN ('flag', 'opt_out', 'dispute', 'complaint', 'hardship', 'wrong_number')
        OR (kind_code = 'override' AND detail ->> 'action_code' IN ('pause', 'bar_channel'))
), flag AS (
    SELECT
        *,
        CASE WHEN kind_code IN ('opt_out', 'wrong_number') THEN contact_point_id END AS point_id
    FROM coded
)
SELECT
    flag.event_id,
    flag.portfolio,
    flag.kind_code,
    flag.flag_code,
    CASE WHEN about.loan_id IS NULL AND flag.point_id IS NULL THEN flag.person_id END AS person_id,
    CASE WHEN about.loan_id IS NULL AND flag.point_id IS NULL THEN flag.party_id END AS party_id,
    about.loan_id,
    flag.point_id AS contact_point_id,
    COALESCE((flag.detail ->> 'starts_at')::TIMESTAMPTZ, flag.occurred_at) AS starts_at,
    (flag.detail ->> 'ends_at')::TIMESTAMPTZ AS ends_at,
    flag.received_at
FROM flag
LEFT JOIN LATERAL UNNEST(flag.loan_ids) AS about (loan_id)
    ON
        flag.point_id IS NULL
        AND flag.flag_code NOT IN ('self_harm_risk', 'deceased', 'minor', 'bankruptcy_stay', 'identity_theft')
