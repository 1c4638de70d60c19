import type { Vendor } from "../../vendors.ts";

export const QUESTIONNAIRES = ["privacy", "security"] as const;
type QuestionnaireName = (typeof QUESTIONNAIRES)[number];

interface Questionnaire {
  title: string;
  purpose: string;
  sections: readonly { title: string; questions: readonly string[] }[];
}

const TEMPLATES: Readonly<Record<QuestionnaireName, Questionnaire>> = {
  privacy: {
    title: "Vendor privacy questionnaire",
    purpose: "keep our record of processing activities current",
    sections: [
      {
        title: "Data and purposes",
        questions: [
          "Which categories of personal data do you process on our behalf, and of which data subjects?",
          "Do you process special categories of data, data of children, or data on criminal convictions?",
          "For which purposes do you process the data? Do you use any of it for purposes of your own, such as analytics or the training of models?",
          "How long do you keep the data, and how is it deleted or returned when the contract ends?",
        ],
      },
      {
        title: "Locations and subprocessors",
        questions: [
          "In which countries is the data stored, and from which is it accessed?",
          "Which safeguard covers each transfer out of the European Economic Area (adequacy decision, standard contractual clauses, binding corporate rules)? Please attach the transfer impact assessment.",
          "Please list your current subprocessors with location and task. Which were added since your last answer?",
          "How, and how long beforehand, are we told of a new subprocessor?",
        ],
      },
      {
        title: "Rights, incidents and accountability",
        questions: [
          "Within how many days do you pass on, and help to answer, a data subject's request?",
          "Within how many hours do you tell us of a personal data breach? Have there been any since your last answer?",
          "Who is your data protection officer or privacy contact?",
          "Has a supervisory authority opened an inquiry into your processing in the last twelve months?",
        ],
      },
    ],
  },
  security: {
    title: "Vendor security questionnaire",
    purpose: "renew our assessment of the security of your services",
    sections: [
      {
        title: "Organization",
        questions: [
          "Which certifications or reports do you hold (SOC 2 Type II, ISO/IEC 27001, PCI DSS)? Please attach the latest, with bridge letters.",
          "When was your last independent penetration test? Please attach its summary and the state of its findings.",
          "How often do employees receive security training, and how are they screened?",
        ],
      },
      {
        title: "Access and protection of data",
        questions: [
          "How is access to our data granted, reviewed and withdrawn? Is multi-factor authentication required for all of it?",
          "How is our data encrypted in transit and at rest, and who holds the keys?",
          "How is our data separated from that of other customers?",
          "Within how many days are critical vulnerabilities remedied?",
        ],
      },
      {
        title: "Operation",
        questions: [
          "Which recovery point and recovery time do you commit to? When was a restore last tested?",
          "Which events are logged, how long are logs kept, and who looks at alerts outside office hours?",
          "Have there been security incidents that affected customers in the last twelve months?",
        ],
      },
    ],
  },
};

/** The questionnaire as Markdown. A pure function: every attempt renders the same text. */
export function renderQuestionnaire(of: {
  /** `cbqsrw_...` */
  id: string;
  questionnaire: QuestionnaireName;
  vendor: Vendor;
  /** `YYYY-MM-DD` */
  due_date: string;
}): string {
  const { title, purpose, sections } = TEMPLATES[of.questionnaire];
  const { vendor } = of;
  const due = formatDate(of.due_date);
  let number = 0;
  const body = sections.flatMap((section) => [
    `## ${section.title}`,
    ...section.questions.map((question) => {
      number += 1;
      return `${number}. ${question}\n\n   > _Answer:_`;
    }),
  ]);
  const paragraphs = [
    `# ${title}: ${escapeMarkdown(vendor.name)}`,
    [
      `- To: ${escapeMarkdown(vendor.contact_name)} <${vendor.contact_email}>`,
      `- Reference: ${of.id}`,
      `- Due: **${due}**`,
    ].join("\n"),
    `Dear ${escapeMarkdown(vendor.contact_name)},`,
    `${escapeMarkdown(vendor.name)} provides us with ${escapeMarkdown(vendor.services)}. To ${purpose}, we ask you to answer the questions below by **${due}**. Where nothing has changed since your last answer, say so.`,
    ...body,
    "Please return this file with your answers and quote its reference.",
  ];
  return `${paragraphs.join("\n\n")}\n`;
}

/** `30 June 2026`, whatever the machine's language and time zone. */
function formatDate(date: string): string {
  return new Intl.DateTimeFormat("en-GB", { dateStyle: "long", timeZone: "UTC" }).format(
    new Date(`${date}T00:00:00Z`),
  );
}

function escapeMarkdown(text: string): string {
  return text.replaceAll(/\s+/g, " ").replaceAll(/[\\`*_[\]<>#|]/g, String.raw`\$&`);
}
