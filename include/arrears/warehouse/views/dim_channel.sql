-- Channels on which people are contacted.
-- Grain: one row per channel.
-- channel_code: Channel, as the facts name it
-- channel_name: English name
-- channel_name_zh: Chinese name
-- is_machine: Whether no person speaks or writes
SELECT
    channel_code,
    channel_name,
    channel_name_zh,
    is_machine
FROM (
    VALUES
    ('sms', 'Text message', '短信', TRUE),
    ('email', 'E-mail', '电子邮件', TRUE),
    ('push', 'Push message', '推送', TRUE),
    ('chat', 'Chat', '在线聊天', FALSE),
    ('call', 'Call by a person', '人工电话', FALSE),
    ('voice_bot', 'Call by a voice bot', '语音机器人', TRUE),
    ('voicemail_drop', 'Voicemail drop', '语音信箱留言', TRUE),
    ('letter', 'Letter', '信函', TRUE),
    ('visit', 'Visit', '上门', FALSE),
    ('unknown', 'Unknown', '未知', FALSE)
) AS channel (channel_code, channel_name, channel_name_zh, is_machine)
